import type { Pool } from 'pg';

export type Lease = { readonly expired: boolean; readonly dueAt: Date };

/**
 * A subject's lease on the database's clock: it runs `seconds` from its last beat, from `since`, or from the service's
 * readiness, whichever is latest.
 */
export async function lease(
  pool: Pool,
  { subject, since, ready, seconds }: { subject: string; since: Date; ready: Date; seconds: number },
): Promise<Lease> {
  const { rows } = await pool.query<Lease>(
    `select due as "dueAt", due <= clock_timestamp() as expired
     from (
       select greatest(
         (select beat_at from command_service.heartbeats where subject = $1), $2::timestamptz, $3::timestamptz
       ) + make_interval(secs => $4) as due
     ) as lease`,
    [subject, since, ready, seconds],
  );
  return rows[0] as Lease;
}
