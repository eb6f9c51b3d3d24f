import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { reach } from './events.ts';

/** A subscription. Its secret is told once, and its address is in no event that leaves the log: neither stands in a row. */
export const webhookRow = z.strictObject({
  id: uuid,
  revision,
  name: z.string(),
  eventTypes: z.array(z.string()),
  repositories: z.array(z.string()).nullable().describe('only events of these; null: of all, and of none'),
  reach: reach.describe('`work`: none of keys, people, knowledge and messages; it is what its maker may read'),
  madeBy: z.string(),
  status: z.enum(['active', 'paused', 'disabled']),
  reason: z.string().nullable().describe('why it is paused or disabled'),
  oldSecretUntil: time.nullable().describe('until then the secret before signs, too'),
  createdAt: time,
  statusSince: time,
});
export type WebhookRow = RowOf<typeof webhookRow>;

export const webhookModel = defineReadModel({
  name: 'webhooks',
  version: 1,
  table: 'webhooks',
  streams: ['webhook'],
  schema: webhookRow,
});
