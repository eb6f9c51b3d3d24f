import {
  workflowModel,
  workflowRow,
  workflowVersionModel,
  workflowVersionRow,
  type WorkflowRow,
  type WorkflowVersionRow,
} from '@workledger/shared/contexts/task/workflow/row.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { templates } from '@workledger/shared/workflows/templates.ts';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  byId,
  many,
  one,
  queryRoute,
  READERS,
  readRow,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';
import { onlyRepositoriesWithin, readWithin, scopeOf, type Scope } from '../reading/scope.ts';

const list: ListDefinition<WorkflowRow> = {
  model: workflowModel,
  sorts: {
    created: { column: 'createdAt', type: 'timestamptz' },
    name: { column: 'name', type: 'text' },
  },
};
const versions: ListDefinition<WorkflowVersionRow> = {
  model: workflowVersionModel,
  sorts: { version: { column: 'version', type: 'integer' } },
};
const version = z
  .string()
  .meta({ type: 'integer', minimum: 1, maximum: 1_000_000 })
  .regex(/^\d{1,7}$/, 'a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(1_000_000));
const template = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  definition: z.unknown(),
});
const answer = workflowRow.extend({ definition: workflowVersionRow.shape.definition.describe('the newest version') });

const readWorkflow = (pool: Pool, scope: Scope, id: string): Promise<WorkflowRow> =>
  readWithin(pool, scope, workflowModel, { noun: 'workflow', id });

/** Workflows under one of their two names. */
const definitionQueries = (pool: Pool, settle: Settle, path: '/workflows' | '/collaborative/workflows'): Route[] => [
  queryRoute(settle, {
    path,
    role: READERS,
    scoped: true,
    summary: 'List workflows',
    answer: 'A page of workflows, without their definitions.',
    schema: pageOf(workflowRow),
    models: [workflowModel],
    query: {
      state: several(workflowRow.shape.state).optional(),
      name: short.optional(),
      repository: several(short).optional(),
      ...pageParameters(list.sorts, '-created'),
    },
    handler: async ({ query: wanted, principal }) => {
      const scope = scopeOf({ principal });
      return many(
        await readPage(pool, list, wanted, (query) => {
          onlyRepositoriesWithin(query, scope);
          if (wanted.state) query.whereIn('t.state', wanted.state);
          if (wanted.name) query.where('t.name', wanted.name);
          if (wanted.repository) query.whereIn('t.repository', wanted.repository);
        }),
      );
    },
  }),
  queryRoute(settle, {
    path: `${path}/{id}`,
    role: READERS,
    scoped: true,
    summary: 'A workflow, with its newest version',
    answer: 'The workflow.',
    schema: answer,
    params: byId,
    problems: ['not-found'],
    models: [workflowModel, workflowVersionModel],
    handler: async ({ params, principal }) => {
      const row = await readWorkflow(pool, scopeOf({ principal }), params.id);
      const { definition } = await readRow(pool, workflowVersionModel, `${row.id}/${row.version}`, 'version');
      const whole = { ...row, definition };
      return one(whole);
    },
  }),
];

/** GET /workflows, GET /workflows/{id}, and its versions */
export const workflowQueries = ({ pool }: Pick<QueryOptions, 'pool'>, settle: Settle): readonly Route[] => [
  ...definitionQueries(pool, settle, '/workflows'),
  ...definitionQueries(pool, settle, '/collaborative/workflows'),
  route({
    method: 'get',
    path: '/api/v1/workflow-templates',
    role: READERS,
    scoped: true,
    summary: 'Templates of workflows',
    description: 'Made into a workflow of one’s own by POST /api/v1/workflow-templates/{name}.',
    answers: { 200: { description: 'All of them.', schema: z.object({ items: z.array(template) }) } },
    problems: [],
    handler: () => many({ items: templates }),
  }),
  queryRoute(settle, {
    path: '/workflows/{id}/versions',
    role: READERS,
    scoped: true,
    summary: 'All versions of a workflow',
    answer: 'A page of versions.',
    schema: pageOf(workflowVersionRow),
    params: byId,
    problems: ['not-found'],
    models: [workflowModel, workflowVersionModel],
    query: pageParameters(versions.sorts, '-version'),
    handler: async ({ params, query: wanted, principal }) => {
      const { id } = await readWorkflow(pool, scopeOf({ principal }), params.id);
      return many(await readPage(pool, versions, wanted, (query) => void query.where('t.workflow_id', id)));
    },
  }),
  queryRoute(settle, {
    path: '/workflows/{id}/versions/{version}',
    role: READERS,
    scoped: true,
    summary: 'A version of a workflow',
    answer: 'The version.',
    schema: workflowVersionRow,
    params: z.strictObject({ id: anyId, version }),
    problems: ['not-found'],
    models: [workflowModel, workflowVersionModel],
    handler: async ({ params, principal }) => {
      const { id } = await readWorkflow(pool, scopeOf({ principal }), params.id);
      return one(await readRow(pool, workflowVersionModel, `${id}/${params.version}`, 'version'));
    },
  }),
];
