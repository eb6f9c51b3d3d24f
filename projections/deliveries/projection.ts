import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { deliveryModel, type DeliveryRow } from '@workledger/shared/contexts/sync/delivery/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { deliveriesMigrations } from './migration.ts';

export const deliveries = defineProjection<DeliveryRow, Recorded<DeliveryEvent>>(deliveryModel, {
  migrations: deliveriesMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event) => {
    switch (event.type) {
      case 'DeliveryReceived':
        return received(event);
      case 'DeliveryRouted': {
        const { rule, taskId, intent } = event.data;
        const reason = intent.kind === 'cancel-task' ? intent.reason : null;
        const routed = { outcome: 'routed', rule, taskId, intent: intent.kind, reason } as const;
        return { ...existing(row, event), ...routed, revision: event.revision };
      }
      case 'DeliveryNoticed': {
        const noticed = { outcome: 'routed', taskId: event.data.taskId, intent: 'notice-pull-request' } as const;
        return { ...existing(row, event), ...noticed, revision: event.revision };
      }
      case 'DeliveryReviewAsked':
        return { ...existing(row, event), outcome: 'routed', intent: 'review-pull-request', revision: event.revision };
      case 'DeliveryAnswered': {
        const { taskId, isTrusted } = event.data;
        const answered = isTrusted
          ? ({ outcome: 'routed', taskId, intent: 'answer-question' } as const)
          : ({ outcome: 'ignored', taskId, reason: 'the sender is not trusted: they were told so' } as const);
        return { ...existing(row, event), ...answered, revision: event.revision };
      }
      case 'DeliveryIgnored':
        return { ...existing(row, event), outcome: 'ignored', reason: event.data.reason, revision: event.revision };
      // Of streams that are no deliveries.
      case 'DeliveryBodyNoted':
      case 'ReviewHeadNamed':
      case 'ReviewSuperseded':
      case 'ReviewCounted':
      case 'IssueStateNoted':
      case 'MessageNoted':
        return row;
    }
  },
});

type Received = Extract<Recorded<DeliveryEvent>, { type: 'DeliveryReceived' }>;

const received = ({ stream, revision, recordedAt, data: { sentAt: _, ...data } }: Received): DeliveryRow => ({
  id: streamId(stream),
  revision,
  ...data,
  outcome: 'received',
  rule: null,
  intent: null,
  taskId: null,
  reason: null,
  receivedAt: recordedAt.toISOString(),
});
