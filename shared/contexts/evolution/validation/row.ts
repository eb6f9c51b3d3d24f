import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { artefact, commit, failure, uuid } from '../../values.ts';
import { checkResult } from './checks.ts';

export const validationRow = z.strictObject({
  id: uuid,
  revision,
  taskId: uuid,
  runId: uuid,
  repository: z.string(),
  state: z.enum(['requested', 'passed', 'back-to-work', 'failed', 'cancelled']),
  commit,
  base: commit,
  report: artefact.nullable(),
  protectedChanges: z.array(z.string()).describe('protected paths that the work had changed'),
  failure: failure.nullable(),
  reason: z.string().nullable(),
  requestedAt: time,
  endedAt: time.nullable(),
  checks: z.array(checkResult).describe('what each named check said; none in validations of before they had names'),
});
export type ValidationRow = RowOf<typeof validationRow>;

export const validationModel = defineReadModel({
  name: 'validations',
  version: 1,
  table: 'validations',
  streams: ['validation'],
  schema: validationRow,
});
