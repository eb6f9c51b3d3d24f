import { afterEach, beforeEach, expect, it } from 'vitest';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { partitionOf } from '@workledger/shared/event-bus/partition.ts';
import { OffsetOutOfRange, type EventBus, type TopicPartition } from '@workledger/shared/event-bus/port.ts';
import type { EventLog, ReadAllOptions } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { silent, untilHolds } from '../testing/engine.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import type { Projection } from './projection.ts';
import { runProjections } from './run-projections.ts';

const twin: Projection = { ...tasks, name: 'twin', table: 'twin' };
let database: TestDatabase;
let log: EventLog;
/** What read models ask of the log themselves. */
let reads: ReadAllOptions[];
/** Resolves when the log may be read. */
let mayRead: Promise<void>;
/** Groups that consume, and the events that were handed out. */
let groups: string[];
let handed: string[];
/** What the bus has lost when it is asked next. */
let lost: readonly TopicPartition[];

beforeEach(async () => {
  [reads, groups, handed, lost, mayRead] = [[], [], [], [], Promise.resolve()];
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
  await migrateReadModels(database.url);
  await database.pool.query('create table read_models.twin_v1 (like read_models.tasks_v1 including all)');
});
afterEach(async () => {
  await log.close();
  await database.drop();
});

function start(projections: readonly Projection[]): () => Promise<void> {
  const stopping = new AbortController();
  const inProcess = createInProcessBus(log);
  const bus: EventBus = {
    ...inProcess,
    consume: async (options, { resume, handle }) => {
      groups.push(options.group);
      const told = lost;
      lost = [];
      if (told.length > 0) {
        await resume(told);
        throw new OffsetOutOfRange(told);
      }
      await inProcess.consume(options, {
        resume,
        handle: (batch) => {
          handed.push(...batch.events.map(({ id }) => id));
          return handle(batch);
        },
      });
    },
  };
  const heard: EventLog = {
    ...log,
    async *readAll(options = {}) {
      reads.push(options);
      await mayRead;
      yield* log.readAll(options);
    },
  };
  const { pool } = database;
  const running = runProjections({ projections, log: heard, bus, pool, signal: stopping.signal, logger: silent });
  return async () => {
    stopping.abort();
    await running;
    await inProcess.close();
  };
}

async function append(stream: string, from: number, ...events: DomainEvent[]): Promise<void> {
  const metadata = { correlationId: newId(), causationId: null, commandId: newId(), commandHash: '0' };
  const encoded = encode(stream, events, { ...metadata, actor: 'system', traceparent: null });
  await log.append(stream, encoded, from === 0 ? 'none' : from - 1);
}

async function titleIn({ table }: Projection, stream: string): Promise<string | undefined> {
  const { rows } = await database.pool.query<{ title: string }>(
    `select title from read_models.${table}_v1 where id = $1`,
    [streamId(stream)],
  );
  return rows[0]?.title;
}
const untilBothHave = (stream: string, title: string): Promise<void> =>
  untilHolds(async () => expect([await titleIn(tasks, stream), await titleIn(twin, stream)]).toEqual([title, title]));

it('a partition is read once, and its progress moved together, for all read models that follow it', async () => {
  const stop = start([tasks, twin]);
  await untilHolds(async () => expect(groups).toHaveLength(1));
  const streams = Array.from({ length: 20 }, () => streamName('task', newId()));
  for (const stream of streams) await append(stream, 0, createdTask({}), retitled('seen'));
  for (const stream of streams) await untilBothHave(stream, 'seen');
  await stop();
  expect(groups).toHaveLength(1);
  expect(handed).toHaveLength(40);
  const { rows } = await database.pool.query<{ places: number }>(
    'select count(distinct (topic, partition, next_offset))::integer as places from read_models.progress',
  );
  expect(rows[0]?.places).toBe(12);
});

it('a fold that throws, and a row that does not fit, park their streams in their own read model only', async () => {
  const [poisoned, unfit] = [streamName('task', newId()), streamName('task', newId())];
  const fragile: Projection = {
    ...twin,
    fold: (row, event, id) => {
      if (event.stream === poisoned && event.revision === 1) throw new Error('cannot digest this');
      const next = tasks.fold(row, event, id);
      return event.stream === unfit && event.revision === 1 ? ({ ...next, attempts: 2 ** 40 } as typeof next) : next;
    },
  };
  const stop = start([tasks, fragile]);
  await untilHolds(async () => expect(groups).toHaveLength(1));
  for (const stream of [poisoned, unfit]) await append(stream, 0, createdTask({ title: 'fine' }), retitled('later'));
  for (const stream of [poisoned, unfit]) {
    await untilHolds(async () => expect(await titleIn(tasks, stream)).toBe('later'));
    await untilHolds(async () => expect(await titleIn(twin, stream)).toBe('fine'));
  }
  await stop();
  const { rows } = await database.pool.query<{ projection: string; stream: string }>(
    'select projection, stream from read_models.streams where parked_at is not null',
  );
  expect(rows.map(({ projection, stream }) => `${projection} ${stream}`).toSorted()).toEqual(
    [poisoned, unfit].map((stream) => `twin ${stream}`).toSorted(),
  );
});

it('a new read model catches up beside the others, which go on meanwhile, and joins them', async () => {
  const [old, live] = [streamName('task', newId()), streamName('task', newId())];
  await append(old, 0, createdTask({ title: 'old' }));
  const stopFirst = start([tasks]);
  await untilHolds(async () => expect(await titleIn(tasks, old)).toBe('old'));
  await stopFirst();

  let letRead = (): void => undefined;
  mayRead = new Promise((resolve) => (letRead = resolve));
  const stop = start([tasks, twin]);
  await append(live, 0, createdTask({ title: 'meanwhile' }));
  await untilHolds(async () => expect(await titleIn(tasks, live)).toBe('meanwhile'));
  expect(await titleIn(twin, old)).toBeUndefined();
  letRead();
  await untilBothHave(old, 'old');
  await untilBothHave(live, 'meanwhile');
  await append(live, 1, retitled('together'));
  await untilBothHave(live, 'together');
  await stop();
});

it('of a partition that the bus has lost the log tells what comes after its position, and of that partition only', async () => {
  const stream = streamName('task', newId());
  let other = streamName('task', newId());
  while (partitionOf(other) === partitionOf(stream)) other = streamName('task', newId());
  const stop = start([tasks, twin]);
  await untilHolds(async () => expect(groups).toHaveLength(1));
  await append(stream, 0, createdTask({}), retitled('before'));
  await append(other, 0, createdTask({}), retitled('before'));
  for (const each of [stream, other]) await untilBothHave(each, 'before');
  await stop();
  const where = async (of: string): Promise<unknown> => {
    const { rows } = await database.pool.query<{ next_offset: string; position: string }>(
      `select next_offset, position from read_models.progress where projection = 'tasks' and partition = $1`,
      [partitionOf(of)],
    );
    return rows[0];
  };
  expect(await where(stream)).toMatchObject({ position: '2' });
  const untouched = await where(other);

  await append(stream, 2, retitled('after'));
  reads = [];
  lost = [{ topic: 'task', partition: partitionOf(stream) }];
  const stopAgain = start([tasks, twin]);
  await untilBothHave(stream, 'after');
  expect(await where(other)).toEqual(untouched);
  await append(other, 2, retitled('on'));
  await untilBothHave(other, 'on');
  await stopAgain();
  expect(reads.map(({ after }) => after)).toEqual([2n, 2n]);
});
