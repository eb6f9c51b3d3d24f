import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { OutcomeUnknown } from '../errors.ts';
import type { EventLog } from '../port.ts';
import { anyEvent, anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import { createPostgresEventLog } from './event-log.ts';
import { startProxy, type Proxy } from '@workledger/infra/testing/servers/database-proxy.ts';

let database: TestDatabase;
let proxy: Proxy;
let log: EventLog;
beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startProxy(database.url);
  log = await createPostgresEventLog({ connectionString: proxy.url, patienceMilliseconds: 1_000 });
});
afterAll(async () => {
  await proxy.open();
  await log.close();
  await proxy.close();
  await database.drop();
});
const newStream = (): string => streamName('task', newId());

it('settles an append whose answer was lost: it stands once, and its caller hears so', async () => {
  const streams = Array.from({ length: 20 }, newStream);
  await log.append(newStream(), [anyEvent()], 'none');
  proxy.loseNextAnswer();
  const results = await Promise.all(streams.map((stream) => log.append(stream, anyEvents(2), 'none')));
  expect(proxy.lostAnswers()).toBe(1);
  expect(results.map(({ revision }) => revision)).toEqual(streams.map(() => 1));
  for (const [index, stream] of streams.entries()) {
    const recorded = await collect(log.readStream(stream));
    expect(recorded).toHaveLength(2);
    expect(results[index]?.position).toBe(recorded[1]?.position);
  }
});

it('settles a lost answer of a lone append, too', async () => {
  const stream = newStream();
  await log.append(newStream(), [anyEvent()], 'none');
  proxy.loseNextAnswer();
  expect((await log.append(stream, [anyEvent()], 'none')).revision).toBe(0);
  expect(await collect(log.readStream(stream))).toHaveLength(1);
});

it('says that the outcome is unknown while the database stays away, and works again when it is back', async () => {
  const stream = newStream();
  const events = anyEvents(2);
  await proxy.shut();
  await expect(log.append(stream, events, 'none')).rejects.toBeInstanceOf(OutcomeUnknown);
  await proxy.open();
  expect((await log.append(stream, events, 'none')).revision).toBe(1);
  expect(await collect(log.readStream(stream))).toHaveLength(2);
});

it('keeps a subscription waiting while the database is away, and goes on without a gap', async () => {
  const stream = newStream();
  const stopping = new AbortController();
  const heard: number[] = [];
  const after = await log.head();
  const running = (async () => {
    for await (const { events } of log.subscribe({ after, signal: stopping.signal }))
      for (const event of events) if (event.stream === stream) heard.push(event.revision);
  })();
  await log.append(stream, anyEvents(3), 'none');
  await vi.waitUntil(() => heard.length === 3, { timeout: 20_000 });
  await proxy.shut();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await proxy.open();
  await log.append(stream, anyEvents(3), 2);
  await vi.waitUntil(() => heard.length === 6, { timeout: 20_000 });
  stopping.abort();
  await running;
  expect(heard).toEqual([0, 1, 2, 3, 4, 5]);
});

it('writes the rest of a batch when the server cannot take one of its appends', async () => {
  await database.pool.query("alter table event_log.events add constraint welcome check (type <> 'Unwelcome')");
  const streams = Array.from({ length: 10 }, newStream);
  const outcomes = await Promise.allSettled(
    streams.map((stream, index) => log.append(stream, [anyEvent({}, index === 4 ? 'Unwelcome' : 'Welcome')], 'none')),
  );
  await database.pool.query('alter table event_log.events drop constraint welcome');
  expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([4]);
  expect(outcomes[4]).toMatchObject({ reason: { message: expect.stringContaining('"welcome"') as string } });
  for (const [index, stream] of streams.entries())
    expect(await collect(log.readStream(stream))).toHaveLength(index === 4 ? 0 : 1);
});

it.each(["update event_log.events set type = 'Other'", 'delete from event_log.events', 'truncate event_log.events'])(
  'refuses to change what is written: %s',
  async (sql) => {
    await expect(database.pool.query(sql)).rejects.toThrow('events are never changed or removed');
  },
);

it('finishes what was begun before it closes, and takes nothing afterwards', async () => {
  const closing = await createPostgresEventLog({ connectionString: database.url });
  const stream = newStream();
  const begun = closing.append(stream, anyEvents(2), 'none');
  await closing.close();
  expect((await begun).revision).toBe(1);
  await expect(closing.append(stream, anyEvents(1), 1)).rejects.toThrow('the event log is closed');
});
