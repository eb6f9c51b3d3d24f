import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { artefact, uuid } from '../../values.ts';
import { provider } from './events.ts';

export const deliveryRow = z.strictObject({
  id: uuid,
  revision,
  provider,
  deliveryId: z.string().describe('as the provider names the delivery'),
  event: z.string(),
  action: z.string().nullable(),
  repository: z.string().nullable().describe('as the provider names it'),
  sender: z.string().nullable().describe('personal'),
  body: artefact,
  outcome: z.enum(['received', 'routed', 'ignored']),
  rule: z.string().nullable(),
  intent: z
    .enum(['create-task', 'cancel-task', 'notice-pull-request', 'answer-question', 'review-pull-request'])
    .nullable(),
  taskId: uuid.nullable(),
  reason: z.string().nullable().describe('why it was ignored, or why it cancels'),
  receivedAt: time,
});
export type DeliveryRow = RowOf<typeof deliveryRow>;

export const deliveryModel = defineReadModel({
  name: 'deliveries',
  version: 1,
  table: 'deliveries',
  streams: ['delivery'],
  schema: deliveryRow,
});
