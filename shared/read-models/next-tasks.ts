import type { Pool } from 'pg';
import { selectRows } from './select-rows.ts';

export type NextTask = {
  readonly taskId: string;
  readonly title: string;
  readonly priority: number;
  readonly urgency: number;
};

export type NextTasksOptions = {
  /** What the agent can do; left out: tasks of any need. */
  readonly capabilities?: readonly string[];
  /** Only tasks of a repository; left out: also those of none. */
  readonly withRepository?: boolean;
  /** Only tasks of these; null, or left out: of any repository, or none. */
  readonly repositories?: readonly string[] | null;
  /** Those that are registered: tasks of others wait until theirs is; null, or left out: any. */
  readonly registered?: readonly string[] | null;
  /** Ids of tasks to leave out. */
  readonly without?: readonly string[];
  /** Seconds after which a waiting task counts as one priority more urgent. */
  readonly ageingSeconds: number;
  /** At most so many. */
  readonly limit: number;
};

/** An edge to a task that is not complete, or not known here yet, blocks. */
export const UNBLOCKED = `not exists (
  select from read_models.dependencies d
  left join read_models.tasks needed on needed.id = d.depends_on
  where d.task_id = t.id and needed.state is distinct from 'complete')`;

/** Where tasks are looked for: `$4` tells, of `matches` there is an index. */
type Place = { readonly all: string; readonly matches: string; readonly counts: string };
const ANY: Place = {
  all: '(values (false), (true)) as place (without)',
  matches: '(t.repository is null) = place.without',
  counts: 'not (place.without and $4::boolean)',
};
/** Tasks of other repositories are not even passed by: there may be many. */
const ONE_BY_ONE: Place = {
  all: '(select distinct unnest($4::text[])) as place (repository)',
  matches: 't.repository = place.repository',
  counts: 'true',
};

/**
 * Of the read models that `projections/tasks/` and `projections/dependencies/` write.
 * For each set of capabilities that a waiting task needs (found by hopping along the index) and each priority, the tasks that
 * wait longest; of all these the most urgent. So what is read depends on the limit, and on how many such sets there are, not on
 * how many tasks wait; tasks that are blocked are passed by one by one. Within a set the capabilities are not asked again: the
 * planner takes that for a rare thing, and would read the whole set to sort it; two sets of one hash are told apart outside.
 */
const nextTasksSql = (place: Place): string => `
with recursive needed as (
  (select capabilities, hash_array_extended(capabilities, 0) as hash
   from read_models.tasks where state = 'pending' and subtasks = '{}' order by hash limit 1)
  union all
  select next.capabilities, next.hash
  from needed cross join lateral (
    select t.capabilities, hash_array_extended(t.capabilities, 0) as hash from read_models.tasks t
    where t.state = 'pending' and t.subtasks = '{}' and hash_array_extended(t.capabilities, 0) > needed.hash
    order by hash_array_extended(t.capabilities, 0) limit 1) as next
)
select t.id as "taskId", t.title, t.priority,
  t.priority - floor(extract(epoch from clock_timestamp() - t.waiting_since) / $2)::integer as urgency
from needed
cross join ${place.all}
cross join generate_series(1, 5) as level (priority)
cross join lateral (
  select * from read_models.tasks t
  where t.state = 'pending' and t.subtasks = '{}' and hash_array_extended(t.capabilities, 0) = needed.hash
    and ${place.matches} and t.priority = level.priority
    and t.id <> all ($5) and ($6::text[] is null or t.repository is null or t.repository = any ($6)) and ${UNBLOCKED}
  order by t.waiting_since, t.created_at, t.id
  limit $3
) as t
where ($1::text[] is null or needed.capabilities <@ $1 and t.capabilities <@ $1) and ${place.counts}
order by t.waiting_since + t.priority * make_interval(secs => $2), t.created_at, t.id
limit $3`;

/**
 * The tasks that wait for an agent, most urgent first: 1 before 5, and each ageing time of waiting counts as one priority; then
 * oldest. Their order never changes while they wait. Only a hint.
 */
export const nextTasks = (pool: Pool, options: NextTasksOptions): Promise<NextTask[]> => {
  const { capabilities, withRepository, without, repositories, registered, ageingSeconds, limit } = options;
  return selectRows<NextTask>(pool, nextTasksSql(repositories ? ONE_BY_ONE : ANY), [
    capabilities ?? null,
    ageingSeconds,
    limit,
    repositories ?? withRepository ?? false,
    without ?? [],
    registered ?? null,
  ]);
};
