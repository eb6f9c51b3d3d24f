import type pg from 'pg';
import { newEvent, newStream } from './event.ts';

/** As a transaction of five statements, or the same in one. */
export type PlainForm = 'transaction' | 'statement';

const lock = { name: 'plain-lock', text: 'select position from event_log.head for update' };
const check = {
  name: 'plain-check',
  text: 'select revision from event_log.events where stream = $1 order by revision desc limit 1',
};
const insert = {
  name: 'plain-insert',
  text: `insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())`,
};
const move = { name: 'plain-move', text: 'update event_log.head set position = $1' };
const together = {
  name: 'plain-together',
  text: `with counter as (update event_log.head set position = position + 1 returning position),
    head as (select coalesce(max(revision), -1) as revision from event_log.events where stream = $1)
    insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
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
