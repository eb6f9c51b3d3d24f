import type { Pool } from 'pg';
import { partitionKey, type BusBatch, type Offset, type TopicPartition } from '../event-bus/port.ts';
import type { Context } from '../contexts/define-events.ts';
import type { KnownTopics, TopicIds } from './topics.ts';

/** How far a consumer came in each partition, in PostgreSQL. A stale member finds its row moved on and cannot move it back. */
export type Progress = KnownTopics & {
  resume(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>>;
  /** Moves from the batch's start to its end; answers the offset that stands. */
  advance(batch: BusBatch): Promise<Offset>;
  /**
   * Sets all these partitions, wherever they stood.
   * @param position everything in them up to it was handled @param topics ids of the topics that these offsets are about
   */
  jump(to: ReadonlyMap<string, Offset>, position: bigint, topics: TopicIds): Promise<void>;
  /**
   * Position of the log up to which everything in a partition was handled, keyed by `partitionKey`. Null: nobody knows, for it was
   * begun at the topic's start, where the order of positions is not certain.
   */
  positions(): Promise<ReadonlyMap<string, bigint | null>>;
};

type Row = { topic: Context; partition: number; next_offset: string; position: string | null };

/** @param schema of the tables `progress` and `topics` */
export function createProgress(pool: Pool, schema: string, consumer: string): Progress {
  const sql = statements(schema);

  async function stored(): Promise<Map<string, Row>> {
    const { rows } = await pool.query<Row>(sql.stored, [consumer]);
    return new Map(rows.map((row) => [partitionKey(row), row]));
  }
  const offsetIn = (rows: ReadonlyMap<string, Row>, partition: TopicPartition): Offset =>
    BigInt(rows.get(partitionKey(partition))?.next_offset ?? 0);

  return {
    resume: async (partitions) => {
      const rows = await stored();
      return new Map(partitions.map((partition) => [partitionKey(partition), offsetIn(rows, partition)]));
    },
    advance: async (batch) => {
      const { topic, partition, from, next, events } = batch;
      const last = events.reduce((most, { position }) => (position > most ? position : most), 0n);
      // Without a row, only the start can be left: progress that was forgotten begins there again.
      const { rowCount } = await pool.query(from === 0n ? sql.advanceFromStart : sql.advance, [
        ...[consumer, topic, partition, from, next, last],
      ]);
      return rowCount === 1 ? next : offsetIn(await stored(), batch);
    },
    jump: async (to, position, topics) => {
      const places = [...to].map(([key, offset]) => [...key.split('/'), String(offset)]);
      const column = (index: number): (string | undefined)[] => places.map((place) => place[index]);
      await pool.query(sql.jump, [
        ...[consumer, column(0), column(1), column(2), position],
        ...[[...topics.keys()], [...topics.values()]],
      ]);
    },
    positions: async () =>
      new Map(
        [...(await stored())].map(([place, { position }]) => [place, position === null ? null : BigInt(position)]),
      ),
    topicIds: async () => {
      const { rows } = await pool.query<{ topic: Context; id: string }>(sql.topicIds, [consumer]);
      return new Map(rows.map(({ topic, id }) => [topic, id]));
    },
    adopt: async (topics) => {
      await pool.query(sql.adopt, [consumer, [...topics.keys()], [...topics.values()]]);
    },
  };
}

/** A position that is not known stays so until the next jump. */
const statements = (schema: string) => ({
  stored: `select topic, partition, next_offset, position from ${schema}.progress where consumer = $1`,

  advance: `
    update ${schema}.progress
    set next_offset = $5, position = case when position is not null then greatest(position, $6::bigint) end
    where consumer = $1 and topic = $2 and partition = $3 and next_offset = $4`,

  advanceFromStart: `
    insert into ${schema}.progress as p (consumer, topic, partition, next_offset) values ($1, $2, $3, $5)
    on conflict (consumer, topic, partition) do update
    set next_offset = $5, position = case when p.position is not null then greatest(p.position, $6::bigint) end
    where p.next_offset = $4`,

  topicIds: `select topic, id from ${schema}.topics where consumer = $1`,

  adopt: `
    insert into ${schema}.topics (consumer, topic, id)
    select $1, * from unnest($2::text[], $3::text[])
    on conflict do nothing`,

  jump: `
    with known as (
      insert into ${schema}.topics (consumer, topic, id)
      select $1, * from unnest($6::text[], $7::text[])
      on conflict (consumer, topic) do update set id = excluded.id
    )
    insert into ${schema}.progress (consumer, topic, partition, next_offset, position)
    select $1, u.*, $5 from unnest($2::text[], $3::smallint[], $4::bigint[]) u
    on conflict (consumer, topic, partition) do update
    set next_offset = excluded.next_offset, position = excluded.position`,
});
