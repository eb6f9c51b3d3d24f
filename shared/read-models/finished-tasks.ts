import type { Pool } from 'pg';
import { selectRows } from './select-rows.ts';

export type FinishedTask = {
  readonly title: string;
  /** Its beginning. */
  readonly description: string;
  readonly labels: readonly string[];
  readonly succeeded: boolean;
  readonly sentBack: number;
  /** null: nothing is known of what it changed. */
  readonly files: number | null;
  readonly lines: number | null;
  /** Of its evolutions: how many were tried, how many of them failed, and whether one measured better than the start. */
  readonly candidates: number;
  readonly failed: number;
  readonly improved: boolean;
};

/** Characters of a description. */
const BEGINNING = 2_000;

/**
 * Tasks of a repository (null: of those without one) that are over, newest first: completed by their own work, or whose work was
 * not good in the end. Whatever else failed tells nothing of the task.
 */
export const finishedTasks = (pool: Pool, repository: string | null, limit: number): Promise<FinishedTask[]> =>
  selectRows<FinishedTask>(
    pool,
    `select title, left(description, ${BEGINNING}) as description, labels, state = 'complete' as succeeded, sent_back as "sentBack",
       (result #>> '{diffStat,files}')::integer as files,
       (result #>> '{diffStat,insertions}')::integer + (result #>> '{diffStat,deletions}')::integer as lines,
       evolved.candidates, evolved.failed, evolved.improved
     from read_models.tasks, lateral (
       select count(*)::integer as candidates,
         (count(*) filter (where candidate ->> 'state' = 'failed'))::integer as failed,
         coalesce(bool_or(evolutions.best is not null), false) as improved
       from read_models.evolutions, jsonb_array_elements(generations) as generation,
         jsonb_array_elements(generation -> 'candidates') as candidate
       where evolutions.task_id = tasks.id and candidate ->> 'state' <> 'running'
     ) as evolved
     where coalesce(repository, '') = $1 and (state = 'complete' or state = 'failed') and subtasks = '{}'
       and (state = 'complete' or failure ->> 'step' = 'validate')
     order by finished_at desc limit $2`,
    [repository ?? '', limit],
  );
