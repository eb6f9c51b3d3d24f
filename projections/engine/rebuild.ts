import type { Pool } from 'pg';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { applyBatch } from './apply-batch.ts';
import { LIVE, targetOf, type Projection } from './projection.ts';
import { CATCHING_UP } from './progress.ts';

export type RebuildOptions = {
  readonly projection: Projection;
  readonly pool: Pool;
  /** Where to build: made anew, with the same tables as the live ones. Lower-case letters, digits and underscores. */
  readonly schema: string;
  /** In any interleaving that keeps each stream's own order. */
  readonly events: Iterable<RecordedEvent> | AsyncIterable<RecordedEvent>;
  /** Events in one transaction. */
  readonly batch?: number;
};

/**
 * Builds a read model a second time, beside the live one, for comparison. Takes the same way as the live one: batches,
 * continuity, transactions.
 * @throws RangeError on a schema that is no plain name or the live one; Error when a stream had to be parked;
 *   FromTheFuture on an event that this program does not know
 */
export async function rebuild({ projection, pool, schema, events, batch = 500 }: RebuildOptions): Promise<void> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema === LIVE)
    throw new RangeError(`schema "${schema}": use lower-case letters, digits, underscores, and not "${LIVE}"`);
  const own = targetOf(projection, schema);
  const live = targetOf(projection);
  await pool.query(`create schema if not exists ${schema}`);
  for (const table of ['rows', 'progress', 'streams'] as const)
    await pool.query(
      `drop table if exists ${own[table]}; create table ${own[table]} (like ${live[table]} including all)`,
    );
  const { topic, partition } = CATCHING_UP;
  await pool.query(`insert into ${own.progress} values ($1, $2, $3, $4, 0)`, [
    projection.name,
    projection.version,
    topic,
    partition,
  ]);

  let from = 0n;
  let waiting: RecordedEvent[] = [];
  const flush = async (): Promise<void> => {
    const next = from + 1n;
    const applied = await applyBatch(pool, [own], { topic, partition, from, next }, waiting);
    const parked = applied?.parked[0];
    if (applied === null) throw new Error(`rebuild of ${projection.name} in ${schema}: another one is at work there`);
    if (parked !== undefined)
      throw new Error(`${parked.stream} parked at revision ${parked.revision}: ${parked.reason}`);
    from = next;
    waiting = [];
  };
  for await (const event of events) {
    waiting.push(event);
    if (waiting.length >= batch) await flush();
  }
  if (waiting.length > 0) await flush();
}

/** A row that is not the same in both schemas; null: missing there. */
export type DifferingRow = { readonly id: string; readonly live: unknown; readonly rebuilt: unknown };

/** Compares a rebuilt read model with the live one, row by row and column by column. @param limit at most so many */
export async function differingRows(
  pool: Pool,
  projection: Projection,
  schema: string,
  limit = 100,
): Promise<DifferingRow[]> {
  const { rows } = await pool.query<DifferingRow>(
    `select coalesce(l.id, r.id) as id, to_jsonb(l) as live, to_jsonb(r) as rebuilt
     from ${targetOf(projection).rows} l full join ${targetOf(projection, schema).rows} r on r.id = l.id
     where to_jsonb(l) is distinct from to_jsonb(r)
     order by 1 limit $1`,
    [limit],
  );
  return rows;
}
