import type { PoolClient } from 'pg';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** A stretch of one partition of the bus, or of the log itself. */
export type Stretch = {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly next: bigint;
};

/** Moves the progress row from the stretch's start to its end. False: it stands elsewhere, so whoever asks is stale. */
export async function moveProgress(
  client: PoolClient,
  tables: Tables,
  { name, version }: Projection,
  { topic, partition, from, next }: Stretch,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update ${tables.progress} set next_offset = $6
     where projection = $1 and version = $2 and topic = $3 and partition = $4 and next_offset = $5`,
    [name, version, topic, partition, from, next],
  );
  return rowCount === 1;
}
