import type { Pool } from 'pg';

/**
 * Everything up to this position has been published. Never moves back.
 * @returns false when another epoch has begun: nothing was changed
 */
export async function moveCheckpoint(pool: Pool, epoch: bigint, position: bigint): Promise<boolean> {
  const { rowCount } = await pool.query(
    'update relay.leader set checkpoint = greatest(checkpoint, $2) where epoch = $1',
    [epoch, position],
  );
  return rowCount === 1;
}
