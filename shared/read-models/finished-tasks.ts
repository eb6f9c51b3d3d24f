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
       (result #>> '{diffStat,insertions}')::integer + (result #>> '{diffStat,deletions}')::integer as lines
     from read_models.tasks
     where coalesce(repository, '') = $1 and (state = 'complete' or state = 'failed') and subtasks = '{}'
       and (state = 'complete' or failure ->> 'step' = 'validate')
     order by finished_at desc limit $2`,
    [repository ?? '', limit],
  );
