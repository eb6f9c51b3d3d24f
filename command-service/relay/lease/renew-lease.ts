import type { Pool } from 'pg';

/** @returns false when another epoch has begun: nothing was changed */
export async function renewLease(pool: Pool, epoch: bigint, leaseMilliseconds: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update relay.leader set expires_at = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
     where epoch = $1`,
    [epoch, leaseMilliseconds],
  );
  return rowCount === 1;
}
