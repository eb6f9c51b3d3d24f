import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createPostgresEventLog } from '../../event-log/postgres/event-log.ts';
import type { EventLog } from '../../event-log/port.ts';
import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { partitionKey, type BusBatch, type EventBus } from '../port.ts';
import { startConsumer, type TestConsumer } from '../testing.ts';
import { createInProcessBus } from './in-process-bus.ts';

let database: TestDatabase;
let log: EventLog;
let counted: CountedLog;
let bus: EventBus;
beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
});
beforeEach(() => {
  counted = countSubscriptions(log);
  bus = createInProcessBus(counted.log);
});
afterEach(() => bus.close());
afterAll(async () => {
  await log.close();
  await database.drop();
});

const newStream = (): string => streamName('task', newId());
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const append = (stream: string, count: number, written = 0): Promise<unknown> =>
  log.append(stream, anyEvents(count), written === 0 ? 'none' : written - 1);
const revisions = (consumer: TestConsumer, stream: string): number[] =>
  consumer.events(stream).map(({ revision }) => revision);

function expectNoGap({ batches }: TestConsumer, start: ReadonlyMap<string, bigint>): void {
  const at = new Map(start);
  for (const batch of batches) {
    expect(batch.from).toBe(at.get(partitionKey(batch)));
    at.set(partitionKey(batch), batch.next);
  }
}

it('follows the log once for all groups that have caught up, and not at all without a group', async () => {
  const stream = newStream();
  await append(stream, 1000);
  const groups = Array.from({ length: 6 }, () => startConsumer(bus));
  await untilTrue(() => counted.opened() > groups.length && counted.open() === 1);
  await append(stream, 5, 1000);
  for (const group of groups) await untilTrue(() => revisions(group, stream).length === 1005);
  expect(counted.opened()).toBe(groups.length + 1);
  const [last, ...others] = groups;
  await Promise.all(others.map((group) => group.stop()));
  expect(counted.open()).toBe(1);
  await last?.stop();
  await untilTrue(() => counted.open() === 0);
  for (const group of groups) expect(revisions(group, stream)).toEqual(upTo(1005));
});

it('starts again from where a new group has caught up', async () => {
  const stream = newStream();
  const progress = await bus.endOffsets(['task']);
  const first = startConsumer(bus, { progress });
  await untilTrue(() => counted.opened() === 2 && counted.open() === 1);
  await first.stop();
  await append(stream, 3);
  const second = startConsumer(bus, { progress });
  await untilTrue(() => counted.opened() === 4 && counted.open() === 1);
  await append(stream, 3, 3);
  await untilTrue(() => revisions(second, stream).length === 6);
  await second.stop();
  expect(revisions(second, stream)).toEqual(upTo(6));
  expectNoGap(second, progress);
});

it('misses nothing that the tail gave to the others while a group was about to join', async () => {
  const stream = newStream();
  let gate: Promise<void> | null = null;
  let isHeld = false;
  const subscribe: EventLog['subscribe'] = async function* (options) {
    const isOfOneGroup = options.streams !== undefined;
    for await (const batch of log.subscribe(options)) {
      isHeld = isOfOneGroup && batch.caughtUp && gate !== null;
      if (isHeld) await gate;
      yield batch;
    }
  };
  const slowToJoin = createInProcessBus({ ...log, subscribe });
  const progress = await bus.endOffsets(['task']);
  const first = startConsumer(slowToJoin, { progress });
  await append(stream, 1);
  await untilTrue(() => revisions(first, stream).length === 1);
  let open = (): void => undefined;
  gate = new Promise((resolve) => (open = resolve));
  const second = startConsumer(slowToJoin, { progress });
  await untilTrue(() => isHeld);
  await append(stream, 5, 1);
  await untilTrue(() => revisions(first, stream).length === 6);
  open();
  await untilTrue(() => revisions(second, stream).length === 6);
  await append(stream, 5, 6);
  await untilTrue(() => revisions(second, stream).length === 11);
  await slowToJoin.close();
  expect(revisions(second, stream)).toEqual(upTo(11));
  expectNoGap(second, progress);
});

it('waits for no slow group, which reads by itself until it has caught up', async () => {
  const stream = newStream();
  const progress = await bus.endOffsets(['task']);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow = startConsumer(bus, { progress, handle: () => held.then(() => undefined) });
  const quick = startConsumer(bus, { progress });
  await untilTrue(() => counted.opened() === 3 && counted.open() === 1);
  for (let times = 0; times < 20; times++) await append(stream, 500, times * 500);
  await untilTrue(() => revisions(quick, stream).length === 10_000);
  expect(slow.events()).toEqual([]);
  release();
  await untilTrue(() => revisions(slow, stream).length === 10_000);
  await untilTrue(() => counted.open() === 1);
  const opened = counted.opened();
  expect(opened).toBeGreaterThan(3);
  await append(stream, 5, 10_000);
  for (const consumer of [slow, quick]) await untilTrue(() => revisions(consumer, stream).length === 10_005);
  expect(counted.opened()).toBe(opened);
  await Promise.all([slow.stop(), quick.stop()]);
  for (const consumer of [slow, quick]) {
    expect(revisions(consumer, stream)).toEqual(upTo(10_005));
    expectNoGap(consumer, progress);
  }
});

it('gives every group all in order, whoever dawdles, stops and starts while others append', async () => {
  const streams = Array.from({ length: 10 }, newStream);
  const start = await bus.endOffsets(['task']);
  const run = async (number: number): Promise<void> => {
    const consumers: TestConsumer[] = [];
    const events = { left: streams.length * 300 };
    const handle = async (batch: BusBatch): Promise<undefined> => {
      if (number % 2 === 0) await pause(number * 2);
      events.left -= batch.events.length;
    };
    for (let progress = start; events.left > 0; progress = consumers.at(-1)?.progress ?? start) {
      const consumer = startConsumer(bus, { group: `group-${number}`, progress: new Map(progress), handle });
      consumers.push(consumer);
      const end = performance.now() + 100 + number * 40;
      await untilTrue(() => events.left <= 0 || performance.now() > end);
      await consumer.stop();
      expectNoGap(consumer, progress);
    }
    for (const stream of streams)
      expect(consumers.flatMap((consumer) => revisions(consumer, stream))).toEqual(upTo(300));
  };
  const appending = streams.map(async (stream, number) => {
    for (let times = 0; times < 30; times++) {
      await append(stream, 10, times * 10);
      await pause(number * 2);
    }
  });
  await Promise.all([...Array.from({ length: 6 }, (_, number) => run(number)), ...appending]);
});

it('fails every group when the log cannot be read any more, and serves those who come when it can again', async () => {
  const progress = await bus.endOffsets(['task']);
  const groups = ['one', 'two'].map((group) =>
    bus.consume(
      { group, topics: ['task'], signal: new AbortController().signal },
      { resume: () => Promise.resolve(progress), handle: ({ next }) => Promise.resolve(next) },
    ),
  );
  const ended = Promise.allSettled(groups);
  await untilTrue(() => counted.opened() === 3 && counted.open() === 1);
  await database.pool.query('alter table event_log.events rename to hidden');
  const why = '"event_log.events" does not exist';
  for (const end of await ended)
    expect(end).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining(why) as string } });
  await database.pool.query('alter table event_log.hidden rename to events');
  const stream = newStream();
  await append(stream, 2);
  const later = startConsumer(bus, { progress });
  await untilTrue(() => revisions(later, stream).length === 2);
  await later.stop();
});

export type CountedLog = {
  readonly log: EventLog;
  /** Subscriptions that go on now. */
  open(): number;
  /** Subscriptions that ever began. */
  opened(): number;
};

/** A log, and how often it is followed. */
export function countSubscriptions(log: EventLog): CountedLog {
  let open = 0;
  let opened = 0;
  const subscribe: EventLog['subscribe'] = async function* (options) {
    open += 1;
    opened += 1;
    try {
      yield* log.subscribe(options);
    } finally {
      open -= 1;
    }
  };
  return { log: { ...log, subscribe }, open: () => open, opened: () => opened };
}
