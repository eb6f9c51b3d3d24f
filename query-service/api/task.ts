import { questionModel } from '@workledger/shared/contexts/task/question/row.ts';
import { z } from 'zod';
import type { Pool } from 'pg';
import { agentModel } from '@workledger/shared/contexts/agent/agent/row.ts';
import { revision, time } from '@workledger/shared/contexts/define-row.ts';
import { taskRow, taskModel, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { cost, uuid } from '@workledger/shared/contexts/values.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { dependencyModel } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { evolutionModel } from '@workledger/shared/contexts/evolution/evolution/row.ts';
import { generationModel } from '@workledger/shared/contexts/evolution/generation/row.ts';
import { pipelineModel } from '@workledger/shared/contexts/saga/row.ts';
import { validationModel } from '@workledger/shared/contexts/evolution/validation/row.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { costModel, costOfTask } from '@workledger/shared/read-models/costs.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { createLatestProgress } from '../reading/latest-progress.ts';
import { withLinksSchema, withLinks } from '../reading/with-links.ts';
import { type QueryOptions, byId, one, queryRoute, readRow, READERS } from '../reading/query-route.ts';
import type { Settle } from '../reading/consistency.ts';
import { demandWithin, scopeOf } from '../reading/scope.ts';
import { partsOf, partsSchema } from '../waiting/parts.ts';
import { waitingReason } from '../waiting/reasons.ts';
import { waitingFor } from '../waiting/waiting-for.ts';

const related = z.array(
  z.strictObject({ taskId: uuid, title: z.string().nullable(), state: taskRow.shape.state.nullable() }),
);
const run = z.strictObject({ id: uuid, state: z.string(), href: z.string() });

/** A task with all that hangs together with it. */
const wholeTask = withLinksSchema(taskRow).extend({
  blocked: z.boolean(),
  waitingFor: z.array(waitingReason).describe('why it waits; empty: it does not'),
  costUsd: cost.describe('US dollars of all its runs, those that failed included; null: nobody told'),
  parts: partsSchema.describe('how its subtasks stand; null: it has none'),
  dependencies: related.describe('what it waits for; state null: not known here yet'),
  dependents: related.describe('what waits for it'),
  pipelines: z.array(run.extend({ startedAt: time })),
  generations: z.array(run),
  evolutions: z.array(run),
  validations: z.array(run),
  history: z.array(
    z.strictObject({ type: z.string(), revision, recordedAt: time, data: z.record(z.string(), z.unknown()) }),
  ),
});

/** Events of the history that come with a task: the last ones, fewer where they are large. The whole is under /streams. */
const HISTORY = 200;
/** Bytes of the history, about. */
const HISTORY_BYTES = 1024 * 1024;
/** Of what hangs together with a task, so many of each kind come with it: the newest. The lists have the others. */
const MOST_RELATED = 100;

/** GET /tasks/{id} */
export const getTask = (options: QueryOptions, settle: Settle): Route => {
  const { pool, log } = options;
  const latestProgress = createLatestProgress(pool);
  return queryRoute(settle, {
    path: '/tasks/{id}',
    role: READERS,
    scoped: true,
    summary: 'A task with its history',
    description: `History: what its last ${HISTORY} events tell (fewer where they fill 1 MiB), up to the revision of the answer. Auditors read the events themselves under /streams. Of all that hangs together with it the newest ${MOST_RELATED} of a kind: for the others, ask the lists (/tasks?dependsOn=, /tasks?neededBy=, /pipelines?taskId= and their like).`,
    answer: 'The task, what it waits for, the runs that worked on it, its history.',
    schema: wholeTask,
    params: byId,
    problems: ['not-found'],
    models: [
      ...[taskModel, dependencyModel, agentModel, costModel],
      ...[pipelineModel, generationModel, evolutionModel, validationModel, questionModel],
    ],
    handler: async ({ params, principal }) => {
      const scope = scopeOf({ principal });
      await demandWithin(pool, scope, params.id, { noun: 'task', id: params.id });
      const row = await readRow(pool, taskModel, params.id, 'task');
      const [task = row] = await latestProgress([row]);
      const [relations, history, reasons, costUsd, parts] = await Promise.all([
        taskRelations(pool, task.id),
        historyOf(log, task),
        waitingFor(options, [task], { count: true, scope }),
        costOfTask(pool, task.id),
        partsOf(pool, task, scope),
      ]);
      const told = { waitingFor: reasons.get(task.id) ?? [], costUsd, parts };
      return one({ ...taskJson(task, relations, history), ...told });
    },
  });
};

async function historyOf(log: EventLog, { id, revision }: TaskRow): Promise<HistoryEntry[]> {
  const events: HistoryEntry[] = [];
  const newestFirst = { from: revision, direction: 'backward', limit: HISTORY } as const;
  let bytes = 0;
  for await (const event of log.readStream(streamName('task', id), newestFirst)) {
    const entry = historyEntry(upcast(event));
    events.push(entry);
    bytes += Buffer.byteLength(JSON.stringify(entry));
    if (bytes >= HISTORY_BYTES) break;
  }
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

type TaskRelations = {
  readonly blocked: boolean;
  /** What it waits for; state null: not known here yet. */
  readonly dependencies: readonly {
    readonly taskId: string;
    readonly title: string | null;
    readonly state: string | null;
  }[];
  readonly dependents: readonly {
    readonly taskId: string;
    readonly title: string | null;
    readonly state: string | null;
  }[];
  readonly pipelines: readonly { readonly id: string; readonly state: string; readonly startedAt: string }[];
  readonly generations: readonly { readonly id: string; readonly state: string }[];
  readonly evolutions: readonly { readonly id: string; readonly state: string }[];
  readonly validations: readonly { readonly id: string; readonly state: string }[];
};

const edges = (from: string, to: string): string => `
coalesce((select json_agg(json_build_object('taskId', d.${to}, 'title', n.title, 'state', n.state) order by d.added_at, d.id)
  from (select * from read_models.dependencies where ${from} = $1
    order by added_at desc, id desc limit ${MOST_RELATED}) d left join read_models.tasks n on n.id = d.${to}), '[]')`;

const runs = (table: string, time: string, fields = ''): string => `
coalesce((select json_agg(json_build_object('id', r.id, 'state', r.state${fields}) order by r.${time}, r.id)
  from (select * from read_models.${table} where task_id = $1
    order by ${time} desc, id desc limit ${MOST_RELATED}) r), '[]')`;

const taskRelationsSql = `
select
  exists (select from read_models.dependencies d left join read_models.tasks n on n.id = d.depends_on
    where d.task_id = $1 and n.state is distinct from 'complete') as blocked,
  ${edges('task_id', 'depends_on')} as dependencies,
  ${edges('depends_on', 'task_id')} as dependents,
  ${runs('pipelines', 'started_at', ", 'startedAt', r.started_at")} as pipelines,
  ${runs('generations', 'requested_at')} as generations,
  ${runs('evolutions', 'started_at')} as evolutions,
  ${runs('validations', 'requested_at')} as validations`;

/** What hangs together with a task, in one query. */
async function taskRelations(pool: Pool, taskId: string): Promise<TaskRelations> {
  const [row] = await selectRows<TaskRelations>(pool, taskRelationsSql, [taskId]);
  if (row === undefined) throw new Error('a query without a table answers one row');
  return row;
}

/** One line of a task's history: what happened and when. Who asked for it is for auditors, under /streams. */
type HistoryEntry = {
  readonly type: string;
  readonly revision: number;
  readonly recordedAt: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** What tells the course of the work; what the task itself has is left out. */
const TOLD = [
  'claimId',
  'agentId',
  'runtime',
  'percent',
  'note',
  'commit',
  'reason',
  'result',
  'failure',
  'subtasks',
  'report',
  'questionId',
  'words',
  'by',
  'configuration',
];

export const historyEntry = ({ type, revision, recordedAt, data }: RecordedEvent): HistoryEntry => ({
  type,
  revision,
  recordedAt: recordedAt.toISOString(),
  data: Object.fromEntries(Object.entries(data as object).filter(([name]) => TOLD.includes(name))),
});
