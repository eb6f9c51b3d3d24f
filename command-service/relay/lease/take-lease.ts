import type { Pool } from 'pg';

/** The row as it is after the attempt: of the new leader when it was taken, else of the one who holds it. */
export type LeaderRow = { readonly taken: boolean; readonly epoch: bigint; readonly checkpoint: bigint };

/** Takes the lease when it has run out, and raises the epoch by it; on the database's clock. */
export async function takeLease(pool: Pool, owner: string, leaseMilliseconds: number): Promise<LeaderRow> {
  const { rows } = await pool.query<{ taken: boolean; epoch: string; checkpoint: string }>(
    `with mine as (
       update relay.leader
       set epoch = epoch + 1, owner = $1, expires_at = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
       where expires_at <= clock_timestamp()
       returning epoch, checkpoint
     )
     select mine.epoch is not null as taken,
       coalesce(mine.epoch, leader.epoch) as epoch, coalesce(mine.checkpoint, leader.checkpoint) as checkpoint
     from relay.leader left join mine on true`,
    [owner, leaseMilliseconds],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('relay.leader has no row: run the migrations of the relay');
  return { taken: row.taken, epoch: BigInt(row.epoch), checkpoint: BigInt(row.checkpoint) };
}
