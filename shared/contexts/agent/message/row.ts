import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

/** A place in the log, as a text: it may be larger than a JavaScript number. */
export const place = z.string().regex(/^\d+$/);

export const messageRow = z.strictObject({
  id: uuid,
  revision,
  position: place.describe('its place in the log: what was sent later is further on'),
  sender: z.string(),
  address: z.string().describe('a participant, topic:<topic>, or all'),
  messageType: z.string().nullable(),
  typeNumber: z.int().nullable(),
  subject: z.string(),
  body: z.string(),
  content: z.string().nullable().describe('JSON text'),
  repository: z.string().nullable(),
  taskId: uuid.nullable(),
  replyTo: uuid.nullable(),
  sentAt: time,
  deliveredAt: time.nullable().describe('of a message to one'),
  readAt: time.nullable().describe('of a message to one'),
});
export type MessageRow = RowOf<typeof messageRow>;

export const messageModel = defineReadModel({
  name: 'messages',
  version: 1,
  table: 'messages',
  streams: ['message'],
  schema: messageRow,
});
