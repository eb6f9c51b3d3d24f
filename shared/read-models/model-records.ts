import type { Pool } from 'pg';
import type { TaskRow } from '../contexts/task/task/row.ts';
import { selectRows } from './select-rows.ts';

/** How one try of a model came out. */
export type ModelTry = {
  readonly model: string;
  readonly succeeded: boolean;
  /** US dollars; null: nobody told. */
  readonly costUsd: number | null;
  /** What whoever asked called it; null: it was an attempt at a task, which says so by its words. */
  readonly taskType: string | null;
  readonly title: string;
  readonly labels: TaskRow['labels'];
};

/** What is older tells little of a model that is another one by now. */
const COUNTED_DAYS = 90;
const MOST = 2_000;

/**
 * Tries of models at tasks of this complexity, of repositories within the scope (null: of all), newest first: those of which somebody told
 * how they came out, and attempts at tasks. An attempt whose work went back, or failed in the end, was not good; of one that
 * ended otherwise nobody knows.
 */
export const modelTries = (pool: Pool, complexity: string, scope: readonly string[] | null): Promise<ModelTry[]> =>
  selectRows<ModelTry>(
    pool,
    `
select * from (
  (select model, succeeded, cost_usd as "costUsd", task_type as "taskType", '' as title, '{}'::text[] as labels, reported_at as at
  from read_models.routings
  where complexity = $1 and reported_at > now() - ${COUNTED_DAYS} * interval '1 day' and ($2::text[] is null or repository = any ($2))
  order by reported_at desc limit ${MOST})
  union all
  select substr(attempt ->> 'strategy', ${'chat:'.length + 1}), judged.good, (attempt ->> 'costUsd')::double precision, null, t.title, t.labels,
    g.requested_at
  from (select * from read_models.generations
    where requested_at > now() - ${COUNTED_DAYS} * interval '1 day' and ($2::text[] is null or repository = any ($2))
    order by requested_at desc limit ${MOST}) as g
  cross join lateral jsonb_array_elements(g.attempts) as attempt
  join read_models.tasks t on t.id = g.task_id
  cross join lateral (select case
    when attempt ->> 'state' = 'failed' then false
    when attempt ->> 'state' <> 'succeeded' then null
    when exists (select from read_models.generations later
      where later.task_id = g.task_id and later.run_id = g.run_id and later.requested_at > g.requested_at) then false
    when t.state = 'complete' and t.claim_id = g.run_id then true
    when exists (select from read_models.validations v
      where v.task_id = g.task_id and v.run_id = g.run_id and v.state in ('failed', 'back-to-work')
        and v.requested_at > g.requested_at) then false
    end as good) as judged
  where attempt ->> 'strategy' like 'chat:%' and t.complexity ->> 'level' = $1 and judged.good is not null
) as tries
order by at desc limit ${MOST}`,
    [complexity, scope],
  );
