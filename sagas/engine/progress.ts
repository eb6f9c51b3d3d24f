import type { Pool } from 'pg';
import { partitionKey, type BusBatch, type Offset, type TopicPartition } from '@workledger/shared/event-bus/port.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';

type TopicIds = ReadonlyMap<Context, string>;

/** How far a consumer came in each partition, in PostgreSQL. A stale member finds its row moved on and cannot move it back. */
export type Progress = {
  resume(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>>;
  /** Moves from the batch's start to its end; answers the offset that stands. */
  advance(batch: BusBatch): Promise<Offset>;
  /** Sets all these partitions, wherever they stood. @param topics ids of the topics that these offsets are about */
  jump(to: ReadonlyMap<string, Offset>, topics: TopicIds): Promise<void>;
  /** Ids of the topics that the progress is about. */
  topicIds(): Promise<TopicIds>;
  /** Takes these for the topics that the progress is about, where it does not know better. */
  adopt(topics: TopicIds): Promise<void>;
};

export function createProgress(pool: Pool, consumer: string): Progress {
  async function stored(topic: Context, partition: number): Promise<Offset> {
    const { rows } = await pool.query<{ next_offset: string }>(
      'select next_offset from sagas.progress where consumer = $1 and topic = $2 and partition = $3',
      [consumer, topic, partition],
    );
    return BigInt(rows[0]?.next_offset ?? 0);
  }

  return {
    resume: async (partitions) => {
      const { rows } = await pool.query<{ topic: Context; partition: number; next_offset: string }>(
        'select topic, partition, next_offset from sagas.progress where consumer = $1',
        [consumer],
      );
      const known = new Map(rows.map((row) => [partitionKey(row), BigInt(row.next_offset)]));
      return new Map(
        partitions.map((partition) => [partitionKey(partition), known.get(partitionKey(partition)) ?? 0n]),
      );
    },
    advance: async ({ topic, partition, from, next }) => {
      // Without a row, only the start can be left: progress that was forgotten begins there again.
      const { rowCount } = await pool.query(from === 0n ? ADVANCE_FROM_START : ADVANCE, [
        consumer,
        topic,
        partition,
        from,
        next,
      ]);
      return rowCount === 1 ? next : stored(topic, partition);
    },
    jump: async (to, topics) => {
      const places = [...to].map(([key, offset]) => [...key.split('/'), String(offset)]);
      const column = (index: number): (string | undefined)[] => places.map((place) => place[index]);
      await pool.query(JUMP, [consumer, column(0), column(1), column(2), [...topics.keys()], [...topics.values()]]);
    },
    topicIds: async () => {
      const { rows } = await pool.query<{ topic: Context; id: string }>(
        'select topic, id from sagas.topics where consumer = $1',
        [consumer],
      );
      return new Map(rows.map(({ topic, id }) => [topic, id]));
    },
    adopt: async (topics) => {
      await pool.query(ADOPT, [consumer, [...topics.keys()], [...topics.values()]]);
    },
  };
}

const ADVANCE = `
  update sagas.progress set next_offset = $5
  where consumer = $1 and topic = $2 and partition = $3 and next_offset = $4`;

const ADVANCE_FROM_START = `
  insert into sagas.progress as p (consumer, topic, partition, next_offset) values ($1, $2, $3, $5)
  on conflict (consumer, topic, partition) do update set next_offset = $5 where p.next_offset = $4`;

const ADOPT = `
  insert into sagas.topics (consumer, topic, id)
  select $1, * from unnest($2::text[], $3::text[])
  on conflict do nothing`;

const JUMP = `
  with known as (
    insert into sagas.topics (consumer, topic, id)
    select $1, * from unnest($5::text[], $6::text[])
    on conflict (consumer, topic) do update set id = excluded.id
  )
  insert into sagas.progress (consumer, topic, partition, next_offset)
  select $1, * from unnest($2::text[], $3::smallint[], $4::bigint[])
  on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset`;
