import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { definitionAsTaken } from './events.ts';

export const workflowRow = z.strictObject({
  id: uuid,
  revision,
  name: z.string(),
  description: z.string().nullable(),
  repository: z.string().nullable(),
  version: z.int().describe('the newest one'),
  steps: z.int().describe('how many steps it has'),
  state: z.enum(['active', 'retired']),
  definedBy: z.string().describe('whoever wrote the newest version'),
  createdAt: time,
  changedAt: time,
});
export type WorkflowRow = RowOf<typeof workflowRow>;

export const workflowModel = defineReadModel({
  name: 'workflows',
  version: 1,
  table: 'workflows',
  streams: ['workflow'],
  schema: workflowRow,
});

export const workflowVersionRow = z.strictObject({
  id: z.string().describe('<workflow>/<version>'),
  revision,
  workflowId: uuid,
  version: z.int(),
  definition: definitionAsTaken.describe('as it was written'),
  definedBy: z.string(),
  definedAt: time,
});
export type WorkflowVersionRow = RowOf<typeof workflowVersionRow>;

export const workflowVersionModel = defineReadModel({
  name: 'workflow-versions',
  version: 1,
  table: 'workflow_versions',
  streams: ['workflow'],
  schema: workflowVersionRow,
});
