import type { Pool } from 'pg';
import type { TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { hasDayLimit, spentDay, taskLimit, type Budgets } from '@workledger/shared/read-models/budgets.ts';
import { costsOfDay, costsOfTasks, dayOf } from '@workledger/shared/read-models/costs.ts';
import { UNBLOCKED } from '@workledger/shared/read-models/next-tasks.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Scope } from '../reading/scope.ts';
import { mergeQueueReasons } from './merge-queue.ts';
import { questionReasons } from './questions.ts';
import {
  type Agent,
  agentReason,
  agentsFor,
  dayReason,
  MOST_AHEAD,
  taskBudgetReason,
  type WaitingReason,
} from './reasons.ts';

type Waiting = Pick<TaskRow, 'id' | 'state' | 'subtasks' | 'capabilities' | 'repository'>;

export type WaitingOptions = {
  readonly pool: Pool;
  readonly ageingSeconds: number;
  /** What is configured; left out: nothing is said of repositories and money. */
  readonly configuration?: Budgets | undefined;
};

/** What a task waits for is told of so many dependencies. */
const MOST_DEPENDENCIES = 20;
const MOST_AGENTS = 1_000;

/**
 * Why tasks wait that are pending, worked on or in validation. A few statements for all of them, however many tasks there are.
 * @param count also count the tasks before each: for one task, not for a list @param scope what whoever asks may see
 * @returns reasons by task id; none for a task that does not wait
 */
export async function waitingFor(
  options: WaitingOptions,
  tasks: readonly Waiting[],
  { count, scope }: { readonly count: boolean; readonly scope: Scope },
): Promise<ReadonlyMap<string, readonly WaitingReason[]>> {
  const pending = tasks.filter(({ state }) => state === 'pending');
  const { pool } = options;
  const idsOf = (...states: readonly TaskRow['state'][]): string[] =>
    tasks.filter(({ state }) => states.includes(state)).map(({ id }) => id);
  const [places, answers] = await Promise.all([
    mergeQueueReasons(pool, idsOf('validation')),
    questionReasons(pool, idsOf('in-progress', 'validation')),
  ]);
  const queued = new Map(places);
  for (const [id, more] of answers) queued.set(id, [...(queued.get(id) ?? []), ...more]);
  if (pending.length === 0) return queued;
  const whole = pending.filter(({ subtasks }) => subtasks.length > 0);
  const single = pending.filter(({ subtasks }) => subtasks.length === 0);
  const [dependencies, parts, agents, money] = await Promise.all([
    dependencyReasons(pool, pending, scope),
    subtaskReasons(pool, whole),
    single.length === 0 ? [] : selectRows<Agent>(pool, agentsSql),
    moneyReasons(options, single, scope !== null),
  ]);
  const configured = options.configuration?.repositories;
  const reasons = new Map<string, readonly WaitingReason[]>(queued);
  for (const task of pending) {
    const { id, repository } = task;
    const others = [...(dependencies.get(id) ?? []), ...(parts.get(id) ?? []), ...(money.get(id) ?? [])];
    if (repository !== null && configured?.some(({ name }) => name === repository) === false)
      others.push({
        kind: 'repository',
        name: repository,
        text: `repository ${repository} is not configured any more`,
      });
    reasons.set(id, task.subtasks.length > 0 ? others : await withAgents(options, task, { others, agents, count }));
  }
  return reasons;
}

/** That an agent has no room is no reason where it could not be given the task anyway; that none can do it always is one. */
async function withAgents(
  { pool, ageingSeconds }: WaitingOptions,
  task: Waiting,
  { others, agents, count }: { others: readonly WaitingReason[]; agents: readonly Agent[]; count: boolean },
): Promise<readonly WaitingReason[]> {
  const first = agentReason(agents, task, null);
  if (first.kind === 'capability' || first.kind === 'agents-away') return [...others, first];
  if (others.length > 0) return others;
  if (!count || first.kind === 'agent-resting') return [first];
  const can = agentsFor(agents, task).map(({ capabilities }) => capabilities);
  return [agentReason(agents, task, await tasksAhead(pool, task.id, can, ageingSeconds))];
}

/** A column that a later version adds is read where it is there. */
const agentsSql = `
select capabilities, runtime, (not connected or not enabled or error is not null) as away,
  jsonb_array_length(claims) >= capacity as full,
  to_jsonb(a) ->> 'resting_until' as "restingUntil", to_jsonb(a) ->> 'rest_reason' as "restReason"
from read_models.agents a where registered order by id limit ${MOST_AGENTS}`;

type Reasons = Map<string, WaitingReason[]>;

async function dependencyReasons(pool: Pool, tasks: readonly Waiting[], scope: Scope): Promise<Reasons> {
  type Row = { id: string; taskId: string; title: string | null; state: TaskRow['state'] | null };
  const rows = await selectRows<Row>(
    pool,
    `select wanted.id, open."taskId", case when seen then title end as title, case when seen then state end as state from unnest($1::text[]) as wanted (id) cross join lateral (
       select d.depends_on as "taskId", n.title, n.state, $2::text[] is null or n.repository = any ($2) as seen
       from read_models.dependencies d left join read_models.tasks n on n.id = d.depends_on
       where d.task_id = wanted.id and n.state is distinct from 'complete'
       order by d.added_at, d.id limit ${MOST_DEPENDENCIES}) as open`,
    [tasks.map(({ id }) => id), scope],
  );
  const reasons: Reasons = new Map();
  for (const { id, taskId, title, state } of rows) {
    const text = `${title === null ? `task ${taskId}` : `"${title}"`} comes first, and is ${state ?? 'not known here yet'}`;
    reasons.set(id, [...(reasons.get(id) ?? []), { kind: 'dependency', taskId, title, state, text }]);
  }
  return reasons;
}

async function subtaskReasons(pool: Pool, tasks: readonly Waiting[]): Promise<Reasons> {
  if (tasks.length === 0) return new Map();
  const rows = await selectRows<{ id: string; complete: number }>(
    pool,
    `select whole.id, count(part.id) filter (where part.state = 'complete')::integer as complete
     from read_models.tasks whole left join read_models.tasks part on part.id = any (whole.subtasks)
     where whole.id = any ($1::text[]) group by whole.id`,
    [tasks.map(({ id }) => id)],
  );
  const complete = new Map(rows.map((row) => [row.id, row.complete]));
  return new Map(
    tasks.map(({ id, subtasks }) => {
      const [all, done] = [subtasks.length, complete.get(id) ?? 0];
      const text = `its work is done by ${all} subtasks, of which ${done} ${done === 1 ? 'is' : 'are'} complete`;
      return [id, [{ kind: 'subtasks', subtasks: all, complete: done, text }]];
    }),
  );
}

async function moneyReasons(
  { pool, configuration }: WaitingOptions,
  tasks: readonly Waiting[],
  isLimited: boolean,
): Promise<Reasons> {
  if (configuration === undefined) return new Map();
  const limited = tasks.filter(({ repository }) => taskLimit(configuration, repository) !== null);
  const [day, spent] = await Promise.all([
    tasks.length > 0 && hasDayLimit(configuration) ? costsOfDay(pool, dayOf(new Date())) : null,
    costsOfTasks(
      pool,
      limited.map(({ id }) => id),
    ),
  ]);
  return new Map(
    tasks.map(({ id, repository }) => {
      const limitUsd = taskLimit(configuration, repository);
      const spentUsd = spent.get(id) ?? 0;
      const today = day !== null && repository !== null ? spentDay(configuration, repository, day) : null;
      return [
        id,
        [
          ...(limitUsd !== null && spentUsd >= limitUsd ? [taskBudgetReason(limitUsd, spentUsd)] : []),
          ...(today === null ? [] : [dayReason(today, isLimited)]),
        ],
      ];
    }),
  );
}

/**
 * How many tasks come before one, in the order of `next-tasks.ts`, of those that its agents can do, too, and that are not blocked. Looks
 * at the first thousand before it, and no further.
 */
const aheadSql = `
with recursive needed as (
  (select capabilities, hash_array_extended(capabilities, 0) as hash
   from read_models.tasks where state = 'pending' and subtasks = '{}' order by hash limit 1)
  union all
  select next.capabilities, next.hash
  from needed cross join lateral (
    select t.capabilities, hash_array_extended(t.capabilities, 0) as hash from read_models.tasks t
    where t.state = 'pending' and t.subtasks = '{}' and hash_array_extended(t.capabilities, 0) > needed.hash
    order by hash_array_extended(t.capabilities, 0) limit 1) as next
),
self as materialized (select id, priority, waiting_since, created_at from read_models.tasks where id = $1)
select count(*) filter (where ${UNBLOCKED})::integer as ahead
from (
  select t.id
  from self cross join needed
  cross join (values (false), (true)) as place (without)
  cross join generate_series(1, 5) as level (priority)
  cross join lateral (
    select t.id from read_models.tasks t
    where t.state = 'pending' and t.subtasks = '{}' and hash_array_extended(t.capabilities, 0) = needed.hash
      and (t.repository is null) = place.without and t.priority = level.priority
      and (t.waiting_since, t.created_at, t.id)
        < (self.waiting_since + (self.priority - level.priority) * make_interval(secs => $3), self.created_at, self.id)
    order by t.waiting_since, t.created_at, t.id
    limit ${MOST_AHEAD}
  ) as t
  where exists (select from jsonb_array_elements($2::jsonb) as can where to_jsonb(needed.capabilities) <@ can.value)
  limit ${MOST_AHEAD}
) as t`;

/** @param can what each agent can do that may take the task */
async function tasksAhead(
  pool: Pool,
  taskId: string,
  can: readonly (readonly string[])[],
  ageingSeconds: number,
): Promise<number> {
  const [row] = await selectRows<{ ahead: number }>(pool, aheadSql, [taskId, JSON.stringify(can), ageingSeconds]);
  return row?.ahead ?? 0;
}
