import type { Pool } from 'pg';
import type { TaskRow } from '@workledger/shared/contexts/task/task/row.ts';

type Shown = Pick<TaskRow, 'claimId' | 'progressNote' | 'progressPercent'>;

/**
 * Puts the newest report of each claim in the place of the one that an event told: most reports are no events, and stand in a
 * table of command-service (`command-service/processes/reports.ts`). Where that is not there yet, the events' is the newest.
 */
export function createLatestProgress(pool: Pool): <Task extends Shown>(tasks: readonly Task[]) => Promise<Task[]> {
  let isThere = false;
  const look = async (): Promise<boolean> => {
    const sql = "select coalesce(has_table_privilege(to_regclass('command_service.progress'), 'select'), false) as is";
    return (await pool.query<{ is: boolean }>(sql)).rows[0]?.is === true;
  };

  return async (tasks) => {
    const claims = tasks.flatMap(({ claimId }) => claimId ?? []);
    if (claims.length === 0 || !(isThere ||= await look())) return [...tasks];
    const { rows } = await pool.query<{ claimId: string; note: string; percent: number | null }>(
      'select claim_id as "claimId", note, percent from command_service.progress where claim_id = any ($1::uuid[])',
      [claims],
    );
    const newest = new Map(rows.map((row) => [row.claimId, row]));
    return tasks.map((task) => {
      const report = newest.get(task.claimId ?? '');
      return report === undefined ? task : { ...task, progressNote: report.note, progressPercent: report.percent };
    });
  };
}
