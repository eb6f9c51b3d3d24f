import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import type { EventLog } from '../port.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { appendEvent } from './append.ts';
import { createPostgresEventLog } from './event-log.ts';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

const program = fileURLToPath(new URL('../testing/append-to-postgres.program.ts', import.meta.url));
const run = promisify(execFile);

let database: TestDatabase;
let log: EventLog;
beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url, pollMilliseconds: 5 });
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

function listen(after: bigint): { events: RecordedEvent[]; stop(): Promise<void> } {
  const stopping = new AbortController();
  const events: RecordedEvent[] = [];
  const running = (async () => {
    for await (const batch of log.subscribe({ after, signal: stopping.signal })) events.push(...batch.events);
  })();
  return {
    events,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

it('gives every position once, in order, while three processes append', async () => {
  const after = await log.head();
  const listener = listen(after);
  const start = (): Promise<{ stdout: string }> =>
    run(process.execPath, [...nodeArguments(program), database.url, '20', '50'], { timeout: 50_000 });
  const here = Array.from({ length: 20 }, async () => {
    const stream = streamName('task', newId());
    for (let number = 0; number < 50; number++)
      await log.append(stream, [anyEvent()], number === 0 ? 'none' : number - 1);
  });
  const [first, second] = await Promise.all([start(), start(), ...here]);
  expect([first?.stdout, second?.stdout]).toEqual(['1000\n', '1000\n']);
  await vi.waitUntil(() => listener.events.length >= 3000, { timeout: 20_000 });
  await listener.stop();

  expect(listener.events.map(({ position }) => position)).toEqual(
    Array.from({ length: 3000 }, (_, index) => after + BigInt(index + 1)),
  );
  const last = new Map<string, number>();
  for (const { stream, revision } of listener.events) {
    expect(revision).toBe((last.get(stream) ?? -1) + 1);
    last.set(stream, revision);
  }
  expect(last.size).toBe(60);
});

it('would miss an event whose position was taken before its turn to commit: so a log without the lock loses events', async () => {
  await database.pool.query('create table naive (position bigserial primary key, text text)');
  const slow = await database.pool.connect();
  await slow.query('begin');
  await slow.query("insert into naive (text) values ('slow')");
  await database.pool.query("insert into naive (text) values ('quick')");
  const poll = async (after: string): Promise<{ position: string; text: string }[]> =>
    (
      await database.pool.query<{ position: string; text: string }>(
        'select position, text from naive where position > $1 order by position',
        [after],
      )
    ).rows;
  const seen = await poll('0');
  await slow.query('commit');
  slow.release();
  const later = await poll(seen.at(-1)?.position ?? '0');
  expect([...seen, ...later].map(({ text }) => text)).toEqual(['quick']);
});

it('misses nothing in the same race: who comes second waits for the lock, and the reader sees both in order', async () => {
  const [slowStream, quickStream] = [streamName('task', newId()), streamName('task', newId())];
  const listener = listen(await log.head());
  let isDone = false;
  const quick = await whileAnotherAppends(slowStream, 'commit', async () => {
    const waiting = log.append(quickStream, [anyEvent()], 'none').then(() => (isDone = true));
    await vi.waitUntil(async () => (await waiters()) === 1, { timeout: 20_000 });
    expect(isDone).toBe(false);
    expect(listener.events).toEqual([]);
    return { waiting };
  });
  await quick.waiting;
  await vi.waitUntil(() => listener.events.length >= 2, { timeout: 20_000 });
  await listener.stop();
  expect(listener.events.map(({ stream }) => stream)).toEqual([slowStream, quickStream]);
});

it.each(['alone', 'in a batch'])(
  'refuses whoever waited for the lock while its stream was created (%s)',
  async (way) => {
    const stream = streamName('task', newId());
    const { waiting, beside } = await whileAnotherAppends(stream, 'commit', async () => {
      const late = log.append(stream, [anyEvent()], 'none').catch((error: unknown) => error);
      const other = way === 'alone' ? null : log.append(streamName('task', newId()), [anyEvent()], 'none');
      await vi.waitUntil(async () => (await waiters()) === 1, { timeout: 20_000 });
      return { waiting: late, beside: other };
    });
    expect(await waiting).toMatchObject({ name: 'RevisionConflict', actual: 0 });
    if (beside !== null) expect((await beside).revision).toBe(0);
  },
);

it('takes a position back when the writer is rolled back', async () => {
  const before = await log.head();
  await whileAnotherAppends(streamName('task', newId()), 'rollback', () => Promise.resolve());
  const { position } = await log.append(streamName('task', newId()), [anyEvent()], 'none');
  expect(position).toBe(before + 1n);
});

/** Runs something while the transaction of another writer is open, which has written but not yet ended. */
async function whileAnotherAppends<T>(stream: string, end: 'commit' | 'rollback', run: () => Promise<T>): Promise<T> {
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    const values = [stream, -1, newId(), 'SlowHappened', 1, '{}', '{}'];
    expect((await client.query({ ...appendEvent, values })).rowCount).toBe(1);
    const result = await run();
    await client.query(end);
    return result;
  } finally {
    client.release(true);
  }
}

async function waiters(): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]?.count ?? 0;
}
