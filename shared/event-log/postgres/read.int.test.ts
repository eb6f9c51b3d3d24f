import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { migrate } from '../../migrations/migrate.ts';
import { createWakeUps } from '../../resilience/wake-ups.ts';
import { MAX_EVENT_BYTES } from '../check-append.ts';
import { eventLogMigrations } from './migrations.ts';
import { PAGE_BYTES, readAll, type ReadPool, readStream } from './read.ts';
import { createHeadWatch, subscribe } from './subscribe.ts';

const SMALL = 12_000;
const LARGE = 80;
/** One event beyond a full page, and names, ids and the like. */
const MOST = PAGE_BYTES + MAX_EVENT_BYTES + 10_000;
const FULL_PAGES = Math.ceil((LARGE * MAX_EVENT_BYTES) / PAGE_BYTES);

const large = streamName('agent', newId());
let database: TestDatabase;
let statements: pg.QueryConfig[];
let sizes: number[];
/** The database's own, counting what comes over the wire. */
let pool: ReadPool;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'event_log', eventLogMigrations);
  // Small events of tasks, then the largest that there are of an agent; a row a stream but for the agent's.
  await database.pool.query(
    `insert into event_log.events
     select number, case when number > $1 then $2 else 'task-' || gen_random_uuid() end,
       greatest(0, number - $1 - 1), gen_random_uuid(), 'Planted', 1,
       json_build_object('text', repeat('é', case when number > $1 then $3::integer / 2 - 100 else 10 end)), '{}', now()
     from generate_series(1, $1::integer + $4::integer) as number`,
    [SMALL, large, MAX_EVENT_BYTES, LARGE],
  );
  await database.pool.query('analyze event_log.events');
  pool = {
    query: async <Row extends pg.QueryResultRow>(statement: pg.QueryConfig) => {
      statements.push(statement);
      const result = await database.pool.query<Row>(statement);
      for (const { lines } of result.rows as { lines?: string | null }[])
        if (typeof lines === 'string') sizes.push(Buffer.byteLength(lines));
      return result;
    },
  };
});
afterAll(() => database.drop());

const count = async (events: AsyncIterable<{ readonly position: bigint }>): Promise<number> => {
  [statements, sizes] = [[], []];
  let seen = 0;
  let last: bigint | null = null;
  for await (const { position } of events) {
    if (last !== null) expect(position - last === 1n || last - position === 1n).toBe(true);
    last = position;
    seen += 1;
  }
  return seen;
};

describe('over the largest events, a page is about a megabyte', () => {
  it.each(['forward', 'backward'] as const)('of a stream, %s', async (direction) => {
    expect(await count(readStream(pool, large, { direction }))).toBe(LARGE);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
    expect(statements.length).toBeLessThanOrEqual(FULL_PAGES + 1);
    expect(await count(readStream(pool, large, { direction, limit: 7 }))).toBe(7);
  });

  it('of the whole log, where the pages before had become wide', async () => {
    expect(await count(readAll(pool, {}))).toBe(SMALL + LARGE);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
    // The head, eight pages that widen to 8,192 positions or reach the large ones, and those.
    expect(statements.length).toBeLessThanOrEqual(1 + 10 + FULL_PAGES + 2);
  });

  it('of what a filter leaves', async () => {
    expect(await count(readAll(pool, { streams: ['agent'] }))).toBe(LARGE);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
    expect(statements.length).toBeLessThanOrEqual(1 + 10 + FULL_PAGES + 2);
  });

  it('and PostgreSQL looks at no more than some, however wide the range', async () => {
    await count(readAll(pool, { after: BigInt(SMALL) }));
    const { text } = statements.find(({ name }) => name === 'read-page')!;
    const client = await database.pool.connect();
    await client.query(`prepare wide as ${text}`);
    const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(
      `explain (analyze, format json) execute wide (${SMALL}, ${SMALL + 8_192}, null, null)`,
    );
    client.release(true);
    const looked = [...JSON.stringify(rows).matchAll(/"Index Name":"events_pkey".*?"Actual Rows":(\d+)/g)];
    expect(Math.max(...looked.map(([, actual]) => Number(actual)))).toBeLessThanOrEqual(70);
  });
});

it('a subscription holds what its consumer works on and one page more, however slow that is', async () => {
  [statements, sizes] = [[], []];
  const stopping = new AbortController();
  const { signal } = stopping;
  const watch = createHeadWatch(() => Promise.resolve(0n), { wakeUps: createWakeUps(), poll: () => 50, signal });
  let position = BigInt(SMALL);
  let batches = 0;
  for await (const { events, next, caughtUp } of subscribe(pool, watch, { after: position, signal })) {
    expect(BigInt(events.length)).toBe(next - position);
    position = next;
    batches += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(statements.length).toBeLessThanOrEqual(batches + 1);
    if (caughtUp) stopping.abort();
  }
  expect(position).toBe(BigInt(SMALL + LARGE));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
});
