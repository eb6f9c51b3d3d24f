import type { Pool } from 'pg';

/** Lets the next one take the lease at once. Does nothing when another epoch has begun. */
export async function releaseLease(pool: Pool, epoch: bigint): Promise<void> {
  await pool.query(`update relay.leader set expires_at = '-infinity' where epoch = $1`, [epoch]);
}
