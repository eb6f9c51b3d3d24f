import type { Route } from '@workledger/shared/http/route.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { dependencyModel } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { evolutionModel } from '@workledger/shared/contexts/evolution/evolution/row.ts';
import { generationModel } from '@workledger/shared/contexts/evolution/generation/row.ts';
import { pipelineModel } from '@workledger/shared/contexts/saga/row.ts';
import { taskModel, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { validationModel } from '@workledger/shared/contexts/evolution/validation/row.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { wholeTask } from '../answers/task.ts';
import type { QueryOptions } from '../options.ts';
import type { Settle } from '../reading/consistency.ts';
import { byId } from '../reading/parameters.ts';
import { one, queryRoute } from '../reading/query-route.ts';
import { readRow } from '../reading/read-row.ts';
import { READERS } from '../reading/roles.ts';
import { withLinks } from '../reading/with-links.ts';
import { historyEntry, type HistoryEntry } from './history-entry.ts';
import { taskRelations, type TaskRelations } from './task-relations.ts';

/** Events of the history that come with a task: the last ones. The whole is under /streams. */
const HISTORY = 200;

/** GET /tasks/{id} */
export const getTask = ({ pool, log }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/tasks/{id}',
    role: READERS,
    summary: 'A task with its history',
    description: `History: what its last ${HISTORY} events tell, up to the revision of the answer. Auditors read the events themselves under /streams.`,
    answer: 'The task, what it waits for, the runs that worked on it, its history.',
    schema: wholeTask,
    params: byId,
    problems: ['not-found'],
    models: [taskModel, dependencyModel, pipelineModel, generationModel, evolutionModel, validationModel],
    handler: async ({ params }) => {
      const task = await readRow(pool, taskModel, params.id, 'task');
      const [relations, history] = await Promise.all([taskRelations(pool, task.id), historyOf(log, task)]);
      return one(taskJson(task, relations, history));
    },
  });

async function historyOf(log: EventLog, { id, revision }: TaskRow): Promise<HistoryEntry[]> {
  const events: HistoryEntry[] = [];
  const newestFirst = { from: revision, direction: 'backward', limit: HISTORY } as const;
  for await (const event of log.readStream(streamName('task', id), newestFirst)) events.push(historyEntry(event));
  return events.reverse();
}

const taskJson = (task: TaskRow, relations: TaskRelations, history: readonly HistoryEntry[]) => ({
  ...task,
  failure: withLinks(task.failure),
  blocked: relations.blocked,
  dependencies: relations.dependencies,
  dependents: relations.dependents,
  pipelines: relations.pipelines.map(linkedTo('pipelines')),
  generations: relations.generations.map(linkedTo('generations')),
  evolutions: relations.evolutions.map(linkedTo('evolutions')),
  validations: relations.validations.map(linkedTo('validations')),
  history: withLinks(history),
});

const linkedTo =
  (resource: string) =>
  <Item extends { readonly id: string }>(item: Item): Item & { href: string } => ({
    ...item,
    href: `/api/v1/${resource}/${item.id}`,
  });
