import type { Pool } from 'pg';

/** Notes a sign of life of each subject, on the database's clock. Sorted, so that two callers never wait for each other crosswise. */
export async function beat(pool: Pool, subjects: readonly string[]): Promise<void> {
  await pool.query(
    `insert into command_service.heartbeats as known (subject, beat_at)
     select subject, clock_timestamp() from unnest($1::text[]) as subject order by subject
     on conflict (subject) do update set beat_at = greatest(known.beat_at, excluded.beat_at)`,
    [[...new Set(subjects)].sort()],
  );
}
