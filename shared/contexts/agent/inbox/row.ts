import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { place } from '../message/row.ts';

export const inboxRow = z.strictObject({
  id: uuid,
  revision,
  participant: z.string(),
  topics: z.array(z.strictObject({ topic: z.string(), since: place, subscribedAt: time })),
  marks: z
    .array(z.strictObject({ repository: z.string().nullable(), until: place, at: time }))
    .describe('up to where all is read, of a repository or (null) of all'),
});
export type InboxRow = RowOf<typeof inboxRow>;

export const inboxModel = defineReadModel({
  name: 'inboxes',
  version: 1,
  table: 'inboxes',
  streams: ['inbox'],
  schema: inboxRow,
});

/** What one participant confirmed of one message that came to many. */
export const receiptRow = z.strictObject({
  id: z.string(),
  revision,
  participant: z.string(),
  messageId: uuid,
  deliveredAt: time,
  readAt: time.nullable(),
});
export type ReceiptRow = RowOf<typeof receiptRow>;

export const receiptModel = defineReadModel({
  name: 'receipts',
  version: 1,
  table: 'receipts',
  streams: ['inbox'],
  schema: receiptRow,
});
