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
  expiresAt: time.nullable().describe('from then on it is refused; null: never'),
  repositories: z.array(z.string()).nullable().describe('it is limited to the tasks of these; null: it is not'),
  macKey: z.string().nullable().describe('names the MAC key that it was made under; null: it has no MAC'),
  userId: uuid.nullable().describe('the person whose key it is; null: nobody'),
});
export type KeyRow = RowOf<typeof keyRow>;

export const keyModel = defineReadModel({
  name: 'keys',
  version: 1,
  table: 'keys',
  streams: ['key'],
  schema: keyRow,
});
