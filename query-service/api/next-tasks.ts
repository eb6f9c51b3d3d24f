import { z } from 'zod';
import type { Route } from '@workledger/shared/http/route.ts';
import { dependencyModel } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { taskModel, taskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { type QueryOptions, atMost, several, short, many, queryRoute, READERS } from '../reading/query-route.ts';
import { scopeOf } from '../reading/scope.ts';
import type { Settle } from '../reading/consistency.ts';

const nextTasksAnswer = z.strictObject({
  items: z.array(
    taskRow
      .pick({ title: true, priority: true })
      .extend({ taskId: taskRow.shape.id, urgency: z.int().describe('priority, less what it gained by waiting') }),
  ),
});

/** GET /tasks/next */
export const listNextTasks = (options: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/tasks/next',
    role: READERS,
    scoped: true,
    summary: 'The queue: tasks that wait for an agent, most urgent first',
    answer: 'Tasks that are pending and not blocked. A hint: only a claim reserves a task.',
    schema: nextTasksAnswer,
    models: [taskModel, dependencyModel],
    query: {
      capability: several(short).optional().describe('only tasks that need no more than these'),
      limit: atMost(100, 20),
    },
    handler: async ({ query: { capability, limit }, principal }) =>
      many({
        items: await nextTasks(options.pool, {
          ageingSeconds: options.ageingSeconds,
          limit,
          ...(capability !== undefined && { capabilities: capability }),
          repositories: scopeOf({ principal }),
        }),
      }),
  });
