import type { Pool } from 'pg';
import type { Silent } from './silent.ts';

/** Forgets the beats that were seen; a newer one stays. */
export async function forget(pool: Pool, seen: readonly Silent[]): Promise<void> {
  if (seen.length === 0) return;
  await pool.query(
    `delete from command_service.heartbeats as known
     using unnest($1::text[], $2::timestamptz[]) as seen (subject, beat_at)
     where known.subject = seen.subject and known.beat_at < seen.beat_at + interval '1 millisecond'`,
    [seen.map(({ subject }) => subject), seen.map(({ beatAt }) => beatAt)],
  );
}
