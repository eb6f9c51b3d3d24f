import type { Pool } from 'pg';
import type { AgentRow } from '@workledger/shared/contexts/agent/agent/row.ts';
import type { TaskRow } from '@workledger/shared/contexts/task/task/row.ts';

type Shown = Pick<TaskRow, 'claimId' | 'progressNote' | 'progressPercent'>;

/**
 * Puts the newest report of each claim in the place of the one that an event told: most reports are no events, and stand in a
 * table of command-service (`command-service/processes/reports.ts`). Where that is not there yet, the events' is the newest.
 */
export function createLatestProgress(pool: Pool): <Task extends Shown>(tasks: readonly Task[]) => Promise<Task[]> {
  const isThere = readable(pool, 'progress');
  return async (tasks) => {
    const claims = tasks.flatMap(({ claimId }) => claimId ?? []);
    if (claims.length === 0 || !(await isThere())) return [...tasks];
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

/** Puts the newest sign of life of each agent in the place of the one that an event told: beats are no events. */
export function createLatestBeats(
  pool: Pool,
): <Agent extends Pick<AgentRow, 'id' | 'lastBeatAt'>>(agents: readonly Agent[]) => Promise<Agent[]> {
  const isThere = readable(pool, 'heartbeats');
  return async (agents) => {
    if (agents.length === 0 || !(await isThere())) return [...agents];
    const { rows } = await pool.query<{ subject: string; beatAt: Date }>(
      'select subject, beat_at as "beatAt" from command_service.heartbeats where subject = any ($1::text[])',
      [agents.map(({ id }) => `agent:${id}`)],
    );
    const newest = new Map(rows.map(({ subject, beatAt }) => [subject, beatAt.toISOString()]));
    return agents.map((agent) => ({ ...agent, lastBeatAt: newest.get(`agent:${agent.id}`) ?? agent.lastBeatAt }));
  };
}

/** Whether a table of command-service is there and may be read: asked until it is. */
export function readable(pool: Pool, table: 'progress' | 'heartbeats' | 'knowledge_usage'): () => Promise<boolean> {
  let isThere = false;
  return async () => {
    const sql = 'select coalesce(has_table_privilege(to_regclass($1), $2), false) as is';
    isThere ||= (await pool.query<{ is: boolean }>(sql, [`command_service.${table}`, 'select'])).rows[0]?.is === true;
    return isThere;
  };
}
