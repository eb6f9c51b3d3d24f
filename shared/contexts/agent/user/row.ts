import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { userRole, userStates } from './events.ts';

export const userRow = z.strictObject({
  id: uuid,
  revision,
  name: z.string(),
  email: z.string().nullable().describe('shown to administrators and to oneself; null for all others'),
  role: userRole,
  state: z.enum(userStates).describe('invited: its onboarding is under way (`GET /pipelines/{id}`, by the same id)'),
  teams: z.array(z.string()),
  suspendedReason: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
});
export type UserRow = RowOf<typeof userRow>;

export const userModel = defineReadModel({
  name: 'users',
  version: 1,
  table: 'users',
  streams: ['user'],
  schema: userRow,
});
