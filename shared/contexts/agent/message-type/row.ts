import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

export const messageTypeRow = z.strictObject({
  id: uuid,
  revision,
  name: z.string(),
  number: z.int().describe('of its newest version, from 1'),
  description: z.string(),
  schema: z.record(z.string(), z.unknown()).describe('JSON Schema, draft 2020-12'),
  registeredAt: time,
  updatedAt: time,
});
export type MessageTypeRow = RowOf<typeof messageTypeRow>;

export const messageTypeModel = defineReadModel({
  name: 'message-types',
  version: 1,
  table: 'message_types',
  streams: ['message-type'],
  schema: messageTypeRow,
});
