import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPostgresEventLog } from '../../event-log/postgres/event-log.ts';
import type { EventLog } from '../../event-log/port.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { eventBusContract } from '../contract.ts';
import { partitionOf } from '../partition.ts';
import { partitionKey, type ConsumeError, type EventBus } from '../port.ts';
import { startConsumer } from '../testing.ts';
import { createInProcessBus } from './in-process-bus.ts';

let database: TestDatabase;
let log: EventLog;
let bus: EventBus;
const errors: ConsumeError[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
  bus = createInProcessBus(log, { onError: (error) => errors.push(error) });
});
afterAll(async () => {
  await bus.close();
  await log.close();
  await database.drop();
});

async function feed(stream: string, count: number): Promise<readonly RecordedEvent[]> {
  const [last] = await collect(log.readStream(stream, { direction: 'backward', limit: 1 }));
  await log.append(stream, anyEvents(count), last?.revision ?? 'none');
  return collect(log.readStream(stream, { from: last === undefined ? 0 : last.revision + 1 }));
}

eventBusContract('in process', () => ({ bus, feed }));

it('has no use for a relay', async () => {
  await expect(bus.publish([])).rejects.toThrow('do not run a relay');
});

it('has one member a group', async () => {
  const first = startConsumer(bus, { group: 'one-member' });
  await expect(startConsumer(bus, { group: 'one-member' }).stop()).rejects.toThrow('already has its one member');
  await first.stop();
  await startConsumer(bus, { group: 'one-member' }).stop();
});

it('tells who failed, where and how often', async () => {
  const stream = streamName('task', newId());
  let failures = 0;
  const consumer = startConsumer(bus, {
    group: 'failing',
    progress: await bus.endOffsets(['task']),
    handle: () => {
      failures += 1;
      if (failures <= 2) throw new Error('refused on purpose');
      return undefined;
    },
  });
  await feed(stream, 1);
  await untilTrue(() => consumer.events(stream).length === 1);
  await consumer.stop();
  const told = errors.filter(({ group }) => group === 'failing');
  const where = { topic: 'task', partition: partitionOf(stream) };
  expect(told.map(({ attempt, partition }) => ({ attempt, partition }))).toEqual([
    { attempt: 1, partition: where },
    { attempt: 2, partition: where },
  ]);
});

it('lets a failing partition fall far behind without stopping the others, and without losing its events', async () => {
  const poisoned = streamName('task', newId());
  const others = Array.from({ length: 30 }, () => streamName('task', newId())).filter(
    (stream) => partitionOf(stream) !== partitionOf(poisoned),
  );
  let mended = false;
  const consumer = startConsumer(bus, {
    progress: await bus.endOffsets(['task']),
    handle: (batch) => {
      if (!mended && batch.partition === partitionOf(poisoned)) throw new Error('refused on purpose');
      return undefined;
    },
  });
  for (let times = 0; times < 6; times++) await feed(poisoned, 700);
  for (const stream of others) await feed(stream, 100);
  await untilTrue(() => others.every((stream) => consumer.events(stream).length === 100));
  expect(consumer.events(poisoned)).toEqual([]);
  mended = true;
  await untilTrue(() => consumer.events(poisoned).length >= 4200);
  await feed(poisoned, 1);
  await untilTrue(() => consumer.events(poisoned).length >= 4201);
  await consumer.stop();
  expect(consumer.events(poisoned).map(({ revision }) => revision)).toEqual(Array.from({ length: 4201 }, (_, n) => n));
});

it('moves the progress of a partition in which nothing happens, so that a restart does not read the whole log', async () => {
  const busy = streamName('task', newId());
  const progress = await bus.endOffsets(['task']);
  const consumer = startConsumer(bus, { progress });
  for (let times = 0; times < 12; times++) await feed(busy, 1000);
  await untilTrue(() => consumer.events(busy).length === 12_000);
  await untilTrue(() => [...consumer.progress.values()].every((offset) => offset > (progress.get('task/0') ?? 0n)));
  await consumer.stop();
  const at = new Map(progress);
  for (const batch of consumer.batches) {
    expect(batch.from).toBe(at.get(partitionKey(batch)));
    at.set(partitionKey(batch), batch.next);
  }
});

it('goes on after every connection to the database was cut', async () => {
  const stream = streamName('task', newId());
  const consumer = startConsumer(bus, { progress: await bus.endOffsets(['task']) });
  await feed(stream, 2);
  await untilTrue(() => consumer.events(stream).length === 2);
  await database.pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await log.append(stream, anyEvents(2), 1);
  await untilTrue(() => consumer.events(stream).length === 4);
  await consumer.stop();
});

it.each([
  ['a slow consumer', false],
  ['a consumer that fails for a while', true],
])('%s has some megabytes of large events before it, not the log', async (_, fails) => {
  const EVENT = 250_000;
  const LARGE = 60;
  const stream = streamName('task', newId());
  const progress = await bus.endOffsets(['task']);
  let pulled = 0;
  const counting = createInProcessBus({
    ...log,
    async *subscribe(options) {
      for await (const batch of log.subscribe(options)) {
        pulled += batch.events.length;
        yield batch;
      }
    },
  });
  await database.pool.query(
    `insert into event_log.events
     select (select position from event_log.head) + number, $1, number - 1, gen_random_uuid(), 'TaskDetailsChanged', 1,
       json_build_object('text', repeat('x', $2::integer)), '{}', now()
     from generate_series(1, $3::integer) as number`,
    [stream, EVENT, LARGE],
  );
  let letGo: () => void = () => undefined;
  let isHeldUp = true;
  const heldUp = new Promise<void>((resolve) => {
    letGo = () => {
      isHeldUp = false;
      resolve();
    };
  });
  const consumer = startConsumer(counting, {
    progress,
    handle: async (batch) => {
      if (batch.events.length > 0 && isHeldUp && fails) throw new Error('refused on purpose');
      if (batch.events.length > 0) await heldUp;
      return undefined;
    },
  });
  await untilTrue(async () => {
    const before = pulled;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return before > 0 && pulled === before;
  });
  // Four megabytes, and the pages that were on their way; who fails lets the others go on, and reads again what it did not keep.
  if (!fails) expect(pulled * EVENT).toBeLessThan(8 * 1024 * 1024);
  letGo();
  await untilTrue(() => consumer.events(stream).length === LARGE);
  await consumer.stop();
  await counting.close();
  expect(consumer.events(stream).map(({ revision }) => revision)).toEqual(Array.from({ length: LARGE }, (_, n) => n));
  for (const { events } of consumer.batches) expect(events.length * EVENT).toBeLessThan(8 * 1024 * 1024);
});
