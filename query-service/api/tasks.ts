import { z } from 'zod';
import type { Route } from '@workledger/shared/http/route.ts';
import { taskSource } from '@workledger/shared/contexts/task/task/events.ts';
import { dependencyModel } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { agentModel } from '@workledger/shared/contexts/agent/agent/row.ts';
import { cost } from '@workledger/shared/contexts/values.ts';
import { costModel, costsOfTasks } from '@workledger/shared/read-models/costs.ts';
import { UNBLOCKED } from '@workledger/shared/read-models/next-tasks.ts';
import { questionModel } from '@workledger/shared/contexts/task/question/row.ts';
import { taskModel, taskRow, taskStates, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  type QueryOptions,
  anyId,
  several,
  short,
  yesOrNo,
  many,
  queryRoute,
  READERS,
} from '../reading/query-route.ts';
import { onlyWithin, scopeOf } from '../reading/scope.ts';
import { createLatestProgress } from '../reading/latest-progress.ts';
import type { Settle } from '../reading/consistency.ts';
import { waitingReason } from '../waiting/reasons.ts';
import { waitingFor } from '../waiting/waiting-for.ts';

/** A task as it is in a list. */
const listedTask = taskRow.omit({ description: true, metadata: true }).extend({
  blocked: z.boolean(),
  costUsd: cost.describe('US dollars of all its runs, those that failed included; null: nobody told'),
  waitingFor: z
    .array(waitingReason)
    .describe('why it waits, if it does; what is before it is counted with the task itself'),
});

const list: ListDefinition<TaskRow, { readonly blocked: boolean }> = {
  model: taskModel,
  without: ['description', 'metadata'],
  computed: { blocked: `not ${UNBLOCKED}` },
  sorts: {
    created: { column: 'createdAt', type: 'timestamptz' },
    updated: { column: 'updatedAt', type: 'timestamptz' },
    priority: { column: 'priority', type: 'integer' },
  },
};

/** Other systems say completed. */
const stateOf = (name: string): string => (name === 'completed' ? 'complete' : name);
const priority = z.enum(['1', '2', '3', '4', '5']).transform(Number);

/** GET /tasks */
export const listTasks = (options: QueryOptions, settle: Settle): Route => {
  const { pool } = options;
  const latestProgress = createLatestProgress(pool);
  return queryRoute(settle, {
    path: '/tasks',
    role: READERS,
    scoped: true,
    summary: 'List tasks',
    description:
      'Without descriptions and metadata: those are with the task itself. Of a repeated filter any value will do, of `label` all must be there.',
    answer: 'A page of tasks; `next` is the cursor of the page after it, null on the last.',
    schema: pageOf(listedTask),
    models: [taskModel, dependencyModel, agentModel, costModel, questionModel],
    query: {
      status: several(z.enum([...taskStates, 'completed']))
        .optional()
        .describe('completed is another name of complete'),
      priority: several(priority).optional(),
      label: several(short).optional(),
      repository: several(short).optional(),
      assignee: several(short).optional(),
      agent: several(anyId).optional().describe('id of the agent that holds or held its claim'),
      source: several(taskSource.shape.kind).optional(),
      parent: anyId.optional(),
      dependsOn: anyId.optional().describe('tasks that wait for this one'),
      neededBy: anyId.optional().describe('tasks that this one waits for'),
      blocked: yesOrNo.optional(),
      text: short.optional().describe('in title or description; case does not matter'),
      ...pageParameters(list.sorts, '-created'),
    },
    handler: async ({ query: asked, principal }) => {
      const scope = scopeOf({ principal });
      const page = await readPage(pool, list, asked, (query) => {
        onlyWithin(query, scope, 't.id');
        if (asked.status) query.whereIn('t.state', asked.status.map(stateOf));
        if (asked.priority) query.whereIn('t.priority', asked.priority);
        if (asked.label) query.whereRaw('t.labels @> ?::text[]', [asked.label]);
        if (asked.repository) query.whereIn('t.repository', asked.repository);
        if (asked.assignee) query.whereIn('t.assignee', asked.assignee);
        if (asked.agent) query.whereIn('t.agent_id', asked.agent);
        if (asked.source) query.whereIn('t.source_kind', asked.source);
        if (asked.parent) query.where('t.parent_id', asked.parent);
        if (asked.dependsOn)
          query.whereRaw('t.id in (select task_id from read_models.dependencies where depends_on = ?)', [
            asked.dependsOn,
          ]);
        if (asked.neededBy)
          query.whereRaw('t.id in (select depends_on from read_models.dependencies where task_id = ?)', [
            asked.neededBy,
          ]);
        if (asked.blocked !== undefined) query.whereRaw(`(${UNBLOCKED}) = ?`, [!asked.blocked]);
        if (asked.text) {
          const pattern = `%${asked.text.replaceAll(/[\\%_]/g, '\\$&')}%`;
          query.whereRaw('(t.title ilike ? or t.description ilike ?)', [pattern, pattern]);
        }
      });
      const [items, costs, reasons] = await Promise.all([
        latestProgress(page.items),
        costsOfTasks(
          pool,
          page.items.map(({ id }) => id),
        ),
        waitingFor(options, page.items, { count: false, scope }),
      ]);
      return many({
        ...page,
        items: items.map((task) => ({
          ...task,
          costUsd: costs.get(task.id) ?? null,
          waitingFor: reasons.get(task.id) ?? [],
        })),
      });
    },
  });
};
