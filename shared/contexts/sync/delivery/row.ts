import type { ArtefactReference } from '../../values.ts';
import { defineReadModel } from '../../define-row.ts';

export type DeliveryRow = {
  readonly id: string;
  readonly revision: number;
  readonly provider: 'github' | 'linear' | 'slack';
  readonly deliveryId: string;
  readonly event: string;
  readonly action: string | null;
  readonly repository: string | null;
  /** Personal. */
  readonly sender: string | null;
  readonly body: ArtefactReference;
  readonly outcome: 'received' | 'routed' | 'ignored';
  readonly rule: string | null;
  readonly intent: 'create-task' | 'cancel-task' | null;
  readonly taskId: string | null;
  /** Why it was ignored, or why it cancels. */
  readonly reason: string | null;
  readonly receivedAt: string;
};

export const deliveryModel = defineReadModel<DeliveryRow>({
  name: 'deliveries',
  version: 1,
  table: 'deliveries',
  streams: ['delivery'],
  columns: {
    id: true,
    revision: true,
    provider: true,
    deliveryId: true,
    event: true,
    action: true,
    repository: true,
    sender: true,
    body: true,
    outcome: true,
    rule: true,
    intent: true,
    taskId: true,
    reason: true,
    receivedAt: true,
  },
});
