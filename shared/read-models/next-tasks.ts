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

const nextTasksSql = `
select t.id as "taskId", t.title, t.priority,
  t.priority - floor(extract(epoch from clock_timestamp() - t.waiting_since) / $2)::integer as urgency
from read_models.tasks t
where t.state = 'pending' and t.subtasks = '{}'
  and ($1::text[] is null or t.capabilities <@ $1)
  and (t.repository is not null or not $4::boolean) and ${UNBLOCKED}
order by urgency, t.created_at, t.id
limit $3`;

/** The tasks that wait for an agent, most urgent first (1 before 5; waiting makes more urgent), then oldest. Only a hint. */
export const nextTasks = (pool: Pool, options: NextTasksOptions): Promise<NextTask[]> => {
  const { capabilities, withRepository, ageingSeconds, limit } = options;
  return selectRows<NextTask>(pool, nextTasksSql, [
    capabilities ?? null,
    ageingSeconds,
    limit,
    withRepository ?? false,
  ]);
};
