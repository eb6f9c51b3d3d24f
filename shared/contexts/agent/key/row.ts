import { z } from 'zod';
import { role } from './events.ts';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

/** An API key as an administrator may see it: nothing that helps to guess it. */
export const keyRow = z.strictObject({
  id: uuid,
  revision,
  name: z.string(),
  role,
  agentId: uuid.nullable(),
  createdAt: time,
  revokedAt: time.nullable(),
  reason: z.string().nullable(),
});
export type KeyRow = RowOf<typeof keyRow>;

export const keyModel = defineReadModel({
  name: 'keys',
  version: 1,
  table: 'keys',
  streams: ['key'],
  schema: keyRow,
});
