import type pg from 'pg';
import { newEvent, newStream } from './fresh-database.ts';

export type Measured = {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
};

/** Lets so many callers do the work over and over, each one thing at a time, for so many milliseconds. */
export async function measure(work: () => Promise<unknown>, callers: number, milliseconds: number): Promise<Measured> {
  const times: number[] = [];
  const start = performance.now();
  const caller = async (): Promise<void> => {
    let before = performance.now();
    while (before - start < milliseconds) {
      await work();
      const after = performance.now();
      times.push(after - before);
      before = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const percentile = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { perSecond: times.length / seconds, p50: percentile(0.5), p99: percentile(0.99) };
}

/** As a transaction of five statements, or the same in one. */
export type PlainForm = 'transaction' | 'statement';

/** Tables as one would write them by hand: as the log's, with a row for the counter. */
const tables = `
create schema plain;
create table plain.events (like event_log.events including all);
create table plain.head (only_row boolean primary key default true, position bigint not null) with (fillfactor = 10);
insert into plain.head (position) values (0);`;

export const makePlainTables = async (client: pg.Client): Promise<void> => void (await client.query(tables));

const lock = { name: 'plain-lock', text: 'select position from plain.head for update' };
const check = {
  name: 'plain-check',
  text: 'select revision from plain.events where stream = $1 order by revision desc limit 1',
};
const insert = {
  name: 'plain-insert',
  text: `insert into plain.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())`,
};
const move = { name: 'plain-move', text: 'update plain.head set position = $1' };
const together = {
  name: 'plain-together',
  text: `with counter as (update plain.head set position = position + 1 returning position),
    head as (select coalesce(max(revision), -1) as revision from plain.events where stream = $1)
    insert into plain.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
    select counter.position, $1, head.revision + 1, $2, $3, $4, $5, $6, clock_timestamp() from counter, head
    where head.revision = -1`,
};

/** What one would write by hand: lock the counter, check the stream's head, insert, move the counter. One caller at a time. */
export function openPlainAppend(client: pg.Client, form: PlainForm): () => Promise<void> {
  return form === 'transaction' ? () => inTransaction(client) : () => inStatement(client);
}

async function inTransaction(client: pg.Client): Promise<void> {
  const stream = newStream();
  const event = newEvent();
  await client.query('begin');
  const counter = await client.query<{ position: string }>(lock);
  const head = await client.query({ ...check, values: [stream] });
  if (head.rowCount !== 0) throw new Error(`stream ${stream} exists`);
  const position = BigInt(counter.rows[0]?.position ?? 0) + 1n;
  const { id, type, version, data, metadata } = event;
  const values = [position, stream, 0, id, type, version, JSON.stringify(data), JSON.stringify(metadata)];
  await client.query({ ...insert, values });
  await client.query({ ...move, values: [position] });
  await client.query('commit');
}

async function inStatement(client: pg.Client): Promise<void> {
  const { id, type, version, data, metadata } = newEvent();
  const values = [newStream(), id, type, version, JSON.stringify(data), JSON.stringify(metadata)];
  const { rowCount } = await client.query({ ...together, values });
  if (rowCount !== 1) throw new Error('the plain append wrote nothing');
}
