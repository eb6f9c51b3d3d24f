import type { Pool } from 'pg';

export type LeaderRow = { readonly pid: number; readonly epoch: bigint; readonly checkpoint: bigint };

/** A write to the checkpoint that the database took: whose it was, and what it made of the row. */
export type CheckpointMove = LeaderRow & { readonly writer: string; readonly before: bigint };

type Columns = { owner: string; epoch: string; checkpoint: string };

const readable = ({ owner, epoch, checkpoint }: Columns): LeaderRow => ({
  pid: Number(owner.split('/').at(-2)),
  epoch: BigInt(epoch),
  checkpoint: BigInt(checkpoint),
});

/** Who leads, and how far all is published. */
export async function readLeader(pool: Pool): Promise<LeaderRow> {
  const { rows } = await pool.query<Columns>('select owner, epoch, checkpoint from relay.leader');
  return readable(rows[0]!);
}

/** Relays whose connections have looked at the row, be it to lead or to stand by. */
export async function countRunning(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    `select count(distinct application_name) from pg_stat_activity
     where datname = current_database() and application_name like 'relay-%' and query like '%relay.leader%'`,
  );
  return Number(rows[0]!.count);
}

/** From now on the database keeps every write to the checkpoint. @param start where the first leader begins */
export const recordMoves = async (pool: Pool, start: bigint): Promise<void> =>
  void (await pool.query(`
    update relay.leader set checkpoint = ${start};

    create table relay.moves (
      number     bigserial primary key,
      writer     text   not null default current_setting('application_name'),
      owner      text   not null,
      epoch      bigint not null,
      before     bigint not null,
      checkpoint bigint not null
    );
    create function relay.record_move() returns trigger language plpgsql as $$
    begin
      insert into relay.moves (owner, epoch, before, checkpoint) values (new.owner, new.epoch, old.checkpoint, new.checkpoint);
      return null;
    end $$;
    create trigger record_move after update of checkpoint on relay.leader
      for each row execute function relay.record_move()`));

export async function readMoves(pool: Pool): Promise<CheckpointMove[]> {
  const { rows } = await pool.query<Columns & { writer: string; before: string }>(
    'select writer, owner, epoch, before, checkpoint from relay.moves order by number',
  );
  return rows.map((row) => ({ ...readable(row), writer: row.writer, before: BigInt(row.before) }));
}
