import { parseArgs } from 'node:util';
import pg from 'pg';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { newEvent, newStream, inFreshDatabase } from './fresh-database.ts';

const PAGE = 1000;
const page = {
  name: 'plain-read',
  text: 'select * from event_log.events where position > $1 and position <= $2 order by position',
};

/** What one would write by hand: page by page, a row an event, as pg gives them. @returns how many rows came */
async function plainRead(client: pg.Client, until: number): Promise<number> {
  let seen = 0;
  for (let after = 0; after < until; after += PAGE)
    seen += (await client.query({ ...page, values: [after, after + PAGE] })).rows.length;
  return seen;
}

// How fast the whole log is read, beside a bare select of the same rows through pg.
const usage = `node --import tsx infra/bench/read.ts --url postgres://user@host:port/postgres [--events 200000] [--rounds 7]

Writes so many events of about 500 bytes into a database of its own, then reads all of them in turns: with a bare select of
pages of 1,000 rows, with readAll, and with subscribe until it has caught up. Prints the median of the rounds, and the ratio to
the bare select. Drops the database.`;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    events: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '7' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(usage);
else if (values.url === undefined)
  throw new Error(`give the server: --url postgres://user@host:port/postgres\n${usage}`);
else await inFreshDatabase(values.url, run);

async function run(connectionString: string): Promise<void> {
  const log = await createPostgresEventLog({ connectionString });
  const client = new pg.Client({ connectionString });
  await client.connect();
  const count = await write(log, wholeNumber('events', values.events));
  const ways: Record<string, () => Promise<number>> = {
    'bare select': () => plainRead(client, count),
    readAll: () => readWhole(log),
    subscribe: () => catchUp(log),
  };
  const seconds = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  const rounds = wholeNumber('rounds', values.rounds);
  // In turns, so that what else the machine does meets all alike; the first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, read] of Object.entries(ways)) {
      const start = performance.now();
      const seen = await read();
      if (seen !== count) throw new Error(`${name} saw ${seen} events of ${count}`);
      if (round > 0) seconds.get(name)?.push((performance.now() - start) / 1000);
    }
  }
  await client.end();
  await log.close();
  report(count, seconds);
}

/** In appends of 100 events, ten at once. */
async function write(log: EventLog, count: number): Promise<number> {
  for (let written = 0; written < count; written += 1000) {
    const append = (): Promise<unknown> => log.append(newStream(), Array.from({ length: 100 }, newEvent), 'none');
    await Promise.all(Array.from({ length: 10 }, append));
  }
  return Number(await log.head());
}

async function readWhole(log: EventLog): Promise<number> {
  let seen = 0;
  for await (const event of log.readAll()) if (event.revision >= 0) seen += 1;
  return seen;
}

async function catchUp(log: EventLog): Promise<number> {
  let seen = 0;
  for await (const { events, caughtUp } of log.subscribe({ signal: new AbortController().signal })) {
    seen += events.length;
    if (caughtUp) break;
  }
  return seen;
}

function report(count: number, seconds: ReadonlyMap<string, readonly number[]>): void {
  const median = (name: string): number => {
    const sorted = [...(seconds.get(name) ?? [])].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  console.table(
    [...seconds.keys()].map((name) => ({
      what: name,
      'events/s': Math.round(count / median(name)),
      '× bare select': Number((median('bare select') / median(name)).toFixed(2)),
    })),
  );
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is a whole number from 1 on, not "${text}"`);
  return number;
}
