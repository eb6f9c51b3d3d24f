import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newId, streamName } from '../contexts/stream.ts';
import { createInProcessBus } from '../event-bus/in-process/in-process-bus.ts';
import { partitionOf } from '../event-bus/partition.ts';
import { OffsetOutOfRange, type EventBus, type TopicPartition } from '../event-bus/port.ts';
import type { EventLog, ReadAllOptions } from '../event-log/port.ts';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import { pause } from '../resilience/pause.ts';
import { createOutages } from '../resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { consume } from './consume.ts';
import { createProgress } from './progress.ts';

const GROUP = 'consumer';
let database: TestDatabase;
let log: EventLog;
/** Ranges in which the log was read by the consumer itself. */
let ranges: ReadAllOptions[];
/** `stream@revision`, as they came. */
let received: string[];
/** How many events came at once, at most. */
let largest: number;
/** Where something waits for an update, and why. */
let waits: Map<string, string>;
let captured: ReturnType<typeof captureLog>;

beforeEach(async () => {
  [ranges, received, waits, captured, largest] = [[], [], new Map(), captureLog(), 0];
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
  await database.pool.query(`
    create schema trial;
    create table trial.progress (consumer text, topic text, partition smallint, next_offset bigint not null, position bigint,
      primary key (consumer, topic, partition));
    create table trial.topics (consumer text, topic text, id text not null, primary key (consumer, topic));
  `);
});
afterEach(async () => {
  await log.close();
  await database.drop();
});

/** @param lost partitions that the bus has lost when the consumer comes first */
function start(lost: readonly TopicPartition[] = []): () => Promise<void> {
  const stopping = new AbortController();
  const { logger } = captured;
  const onWaiting = (where: string, reason: string | null): void =>
    void (reason === null ? waits.delete(where) : waits.set(where, reason));
  const inProcess = createInProcessBus(log);
  let toTell = lost;
  const bus: EventBus = {
    ...inProcess,
    consume: (options, consumer) => {
      const error = toTell.length > 0 ? new OffsetOutOfRange(toTell) : null;
      toTell = [];
      return error === null ? inProcess.consume(options, consumer) : Promise.reject(error);
    },
  };
  const heard: EventLog = {
    ...log,
    readAll: (options = {}) => {
      ranges.push(options);
      return log.readAll(options);
    },
  };
  const consuming = consume(
    { bus, log: heard, outages: createOutages(logger), logger, signal: stopping.signal, onWaiting },
    {
      group: GROUP,
      topics: ['task'],
      progress: createProgress(database.pool, 'trial', GROUP),
      receive: async (events) => {
        largest = Math.max(largest, events.length);
        received.push(...events.map(({ stream, revision }) => `${stream}@${revision}`));
      },
    },
  );
  return async () => {
    stopping.abort();
    await consuming;
    await inProcess.close();
  };
}

const append = async (stream: string, count: number, after: 'none' | number = 'none'): Promise<string[]> => {
  await log.append(stream, anyEvents(count), after);
  const first = after === 'none' ? 0 : after + 1;
  return Array.from({ length: count }, (_, index) => `${stream}@${first + index}`);
};
const until = (count: number): Promise<void> =>
  vi.waitUntil(() => received.length >= count, { timeout: 20_000 }).then(() => undefined);
/** What comes from now on comes from the bus alone: before, the end of the bus and the head of the log may fall on two sides of an event. */
const begun = (): Promise<true> =>
  vi.waitUntil(async () => (await database.pool.query('select from trial.topics')).rowCount === 1, {
    timeout: 20_000,
    interval: 10,
  });
const placeOf = (stream: string): TopicPartition => ({ topic: 'task', partition: partitionOf(stream) });

it('a new consumer reads from the log what was there, then from the bus what comes; started again, it repeats nothing', async () => {
  const stream = streamName('task', newId());
  const all = await append(stream, 3);
  let stop = start();
  await until(3);
  all.push(...(await append(stream, 2, 2)));
  await until(5);
  await stop();
  stop = start();
  all.push(...(await append(stream, 1, 4)));
  await until(6);
  await stop();
  expect(received).toEqual(all);
  expect(ranges).toHaveLength(1);
});

it('what was there comes a few megabytes at a time, where events are large', async () => {
  const stream = streamName('task', newId());
  await database.pool.query(
    `insert into event_log.events
     select number, $1, number - 1, gen_random_uuid(), 'TaskDetailsChanged', 1,
       json_build_object('text', repeat('x', 250000)), '{}', now() from generate_series(1, 60) as number`,
    [stream],
  );
  const stop = start();
  await until(60);
  await stop();
  expect(received).toEqual(Array.from({ length: 60 }, (_, revision) => `${stream}@${revision}`));
  expect(largest * 250_000).toBeLessThan(5 * 1024 * 1024);
});

it('a lost partition is read from the log from where it stood, and the others go on untouched', async () => {
  const lost = streamName('task', newId());
  let other = streamName('task', newId());
  while (partitionOf(other) === partitionOf(lost)) other = streamName('task', newId());
  await append(lost, 2);
  await append(other, 2);
  const stop = start();
  await until(4);
  await append(lost, 1, 1);
  await append(other, 1, 1);
  await until(6);
  await stop();
  const { rows } = await database.pool.query<{ position: string }>(
    'select position from trial.progress where partition = $1',
    [partitionOf(lost)],
  );
  const stood = BigInt(rows[0]?.position ?? 0);
  expect(stood).toBeGreaterThan(0n);

  received = [];
  ranges = [];
  const missed = [...(await append(lost, 2, 2)), ...(await append(other, 2, 2))];
  const stopAgain = start([placeOf(lost)]);
  await until(4);
  await stopAgain();
  expect(received.toSorted()).toEqual(missed.toSorted());
  expect(ranges.map(({ after }) => after)).toEqual([stood]);
});

it('a lost partition whose position nobody knows is read from the start of the log', async () => {
  const stream = streamName('task', newId());
  const all = await append(stream, 2);
  let stop = start();
  await until(2);
  await stop();
  await database.pool.query('update trial.progress set position = null');
  all.push(...all, ...(await append(stream, 1, 1)));
  stop = start([placeOf(stream)]);
  await until(5);
  await stop();
  expect(received).toEqual(all);
  expect(ranges.at(-1)?.after).toBeUndefined();
});

/** As a newer program would write it. */
const FUTURE = { type: 'TaskTeleported', version: 1 } as const;
const told = (): number => captured.text().split('what comes behind it waits for an update').length - 1;

it('an event from the future holds its own partition, is told once, and is gone past after an update', async () => {
  const held = streamName('task', newId());
  let other = streamName('task', newId());
  while (partitionOf(other) === partitionOf(held)) other = streamName('task', newId());
  const stop = start();
  await begun();
  const before = await append(held, 2);
  await until(2);
  await log.append(held, [{ ...anyEvents(1)[0]!, ...FUTURE }], 1);
  await vi.waitUntil(() => waits.size === 1, { timeout: 20_000 });
  const behind = await append(held, 2, 2);
  const elsewhere = await append(other, 3);
  await until(5);
  // Time for some tries more.
  await pause(500);
  expect(received).toEqual([...before, ...elsewhere]);
  expect([...waits]).toEqual([
    [`${GROUP} at task/${partitionOf(held)}`, expect.stringMatching(/TaskTeleported v1 .*update it/)],
  ]);
  expect(told()).toBe(1);
  await stop();

  // A newer program knows it: here, it becomes an event that this one knows, too.
  await database.pool.query(`
    alter table event_log.events disable trigger events_are_final;
    update event_log.events set type = 'TaskDetailsChanged' where type = '${FUTURE.type}'`);
  received = [];
  const updated = start();
  await until(3);
  await updated();
  expect(received).toEqual([`${held}@2`, ...behind]);
});

it('what came before an event from the future in the same batch is handed on once, however often it is tried', async () => {
  const stream = streamName('task', newId());
  const stop = start();
  await begun();
  await log.append(stream, [...anyEvents(2), { ...anyEvents(1)[0]!, ...FUTURE }], 'none');
  await until(2);
  await pause(500);
  await stop();
  expect(received).toEqual([`${stream}@0`, `${stream}@1`]);
});

it('an event from the future in the part that is read from the log is waited for without reading it again and again', async () => {
  const stream = streamName('task', newId());
  await append(stream, 2);
  await log.append(stream, [{ ...anyEvents(1)[0]!, ...FUTURE }], 1);
  const stop = start();
  await vi.waitUntil(() => waits.size === 1, { timeout: 20_000 });
  await pause(500);
  await stop();
  expect(received).toEqual([`${stream}@0`, `${stream}@1`]);
  expect(ranges).toHaveLength(1);
  expect([...waits.keys()]).toEqual([`${GROUP} at the log`]);
});
