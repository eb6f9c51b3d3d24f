import type { Pool } from 'pg';

/** The last sign of life of a subject; null when none is known. */
export async function lastBeat(pool: Pool, subject: string): Promise<Date | null> {
  const { rows } = await pool.query<{ beat_at: Date }>(
    'select beat_at from command_service.heartbeats where subject = $1',
    [subject],
  );
  return rows[0]?.beat_at ?? null;
}
