import { parseArgs } from 'node:util';
import pg from 'pg';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { newEvent, newStream, inFreshDatabase } from './fresh-database.ts';

type Measured = {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
};

/** Lets so many callers do the work over and over, each one thing at a time, for so many milliseconds. */
async function measure(work: () => Promise<unknown>, callers: number, milliseconds: number): Promise<Measured> {
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
type PlainForm = 'transaction' | 'statement';

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
function openPlainAppend(client: pg.Client, form: PlainForm): () => Promise<void> {
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

// How fast single events are appended with all checks, beside a plain locked append at a time on the same server.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
});
const { url } = values;
if (url === undefined) throw new Error('give the server: --url postgres://user@host:port/postgres');
const milliseconds = Number(values.seconds) * 1000;

const callers = [1, 64, 256] as const;
const plainForms: readonly PlainForm[] = ['transaction', 'statement'];
const results = new Map<string, Measured[]>();
const keep = (name: string, measured: Measured): void =>
  void results.set(name, [...(results.get(name) ?? []), measured]);

await inFreshDatabase(url, async (connectionString) => {
  const log = await createPostgresEventLog({ connectionString });
  const client = new pg.Client({ connectionString });
  await client.connect();
  const append = (): Promise<unknown> => log.append(newStream(), [newEvent()], 'none');
  await measure(append, 64, 1000);
  // In turns, so that what else the machine does meets all alike.
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const form of plainForms)
      keep(`plain, ${form}`, await measure(openPlainAppend(client, form), 1, milliseconds));
    for (const count of callers) keep(`${count} callers`, await measure(append, count, milliseconds));
  }
  await client.end();
  await log.close();
});

const median = (name: string): Measured => {
  const sorted = [...(results.get(name) ?? [])].sort((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error(`nothing was measured for ${name}`);
  return middle;
};
const [transaction, statement] = plainForms.map((form) => median(`plain, ${form}`).perSecond);
console.table(
  [...results.keys()].map((name) => {
    const { perSecond, p50, p99 } = median(name);
    return {
      what: name,
      'appends/s': Math.round(perSecond),
      'p50 ms': Number(p50.toFixed(2)),
      'p99 ms': Number(p99.toFixed(2)),
      '× plain transaction': Number((perSecond / (transaction ?? Number.NaN)).toFixed(2)),
      '× plain statement': Number((perSecond / (statement ?? Number.NaN)).toFixed(2)),
    };
  }),
);
