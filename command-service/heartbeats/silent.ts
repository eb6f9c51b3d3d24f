import type { Pool } from 'pg';

export type Silent = { readonly subject: string; readonly beatAt: Date };

/** Subjects of a kind (`agent`, `claim`) without a sign of life for so many seconds, none counted before `ready`. */
export async function silent(
  pool: Pool,
  { kind, ready, seconds }: { kind: string; ready: Date; seconds: number },
): Promise<readonly Silent[]> {
  const { rows } = await pool.query<Silent>(
    `select subject, beat_at as "beatAt"
     from command_service.heartbeats
     where starts_with(subject, $1) and greatest(beat_at, $2::timestamptz) < clock_timestamp() - make_interval(secs => $3)
     order by subject
     limit 1000`,
    [`${kind}:`, ready, seconds],
  );
  return rows;
}
