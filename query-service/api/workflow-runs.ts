import {
  workflowRunModel,
  workflowRunRow,
  workflowStepModel,
  workflowStepRow,
  type WorkflowRunRow,
  type WorkflowStepRow,
} from '@workledger/shared/contexts/task/workflow-run/row.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { selectList } from '@workledger/shared/contexts/define-row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
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
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';
import { onlyRepositoriesWithin, readWithin, scopeOf, type Scope } from '../reading/scope.ts';

const list: ListDefinition<WorkflowRunRow> = {
  model: workflowRunModel,
  sorts: { started: { column: 'startedAt', type: 'timestamptz' } },
};
const answer = workflowRunRow.extend({
  steps: z.array(workflowStepRow).describe('those that began or were passed by, in that order'),
});
const STEPS = `select ${selectList(workflowStepModel.columns)} from read_models.workflow_steps where run_id = $1 order by started_at, revision, id`;

/** The run, where it is there for whoever asks. @throws Problem `not-found` */
export const readRun = (pool: Pool, scope: Scope, id: string): Promise<WorkflowRunRow> =>
  readWithin(pool, scope, workflowRunModel, { noun: 'run of a workflow', id });

/** GET /workflow-runs and GET /workflow-runs/{id} */
export const workflowRunQueries = ({ pool }: Pick<QueryOptions, 'pool'>, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/workflow-runs',
    role: READERS,
    scoped: true,
    summary: 'List runs of workflows',
    answer: 'A page of runs, without their steps.',
    schema: pageOf(workflowRunRow),
    models: [workflowRunModel],
    query: {
      state: several(workflowRunRow.shape.state).optional(),
      workflowId: several(anyId).optional(),
      parentRunId: anyId.optional(),
      startedBy: short.optional(),
      repository: several(short).optional(),
      ...pageParameters(list.sorts, '-started'),
    },
    handler: async ({ query: wanted, principal }) => {
      const scope = scopeOf({ principal });
      return many(
        await readPage(pool, list, wanted, (query) => {
          onlyRepositoriesWithin(query, scope);
          if (wanted.state) query.whereIn('t.state', wanted.state);
          if (wanted.workflowId) query.whereIn('t.workflow_id', wanted.workflowId);
          if (wanted.parentRunId) query.where('t.parent_run_id', wanted.parentRunId);
          if (wanted.startedBy) query.where('t.started_by', wanted.startedBy);
          if (wanted.repository) query.whereIn('t.repository', wanted.repository);
        }),
      );
    },
  }),
  queryRoute(settle, {
    path: '/workflow-runs/{id}',
    role: READERS,
    scoped: true,
    summary: 'A run of a workflow, step by step',
    description: 'Live: the feed `workflow-run:<id>` of the live channel.',
    answer: 'The run.',
    schema: answer,
    params: byId,
    problems: ['not-found'],
    models: [workflowRunModel, workflowStepModel],
    handler: async ({ params, principal }) => {
      const row = await readRun(pool, scopeOf({ principal }), params.id);
      const whole = { ...row, steps: await selectRows<WorkflowStepRow>(pool, STEPS, [row.id]) };
      return one(whole);
    },
  }),
];
