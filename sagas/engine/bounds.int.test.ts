import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { encode } from '@workledger/shared/events/codec.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { OffsetOutOfRange, PARTITIONS, type EventBus } from '@workledger/shared/event-bus/port.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { anyMetadata } from '@workledger/infra/testing/events/any-event.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { sagaMigrations } from './migrations.ts';
import { anySaga, type Saga } from './saga.ts';
import { createSagaStore, type SagaStore } from './store.ts';
import { createTrial, isResult, startEngine, type Trial } from './testing/trial.ts';

const FINISHED = 20_000;
let database: TestDatabase;
let log: EventLog;
let trial: Trial;
/** The log as the engine reads it, and how many events it gave so far. */
let counted: EventLog;
let given: { all: number; streams: number };

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
  trial = createTrial(log);
  await plantSagas(FINISHED, true);
});
beforeEach(() => {
  given = { all: 0, streams: 0 };
  counted = {
    ...log,
    readAll: (options) => counting('all', log.readAll(options)),
    readStream: (stream, options) => counting('streams', log.readStream(stream, options)),
  };
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

async function* counting<Item>(what: 'all' | 'streams', items: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of items) {
    given[what] += 1;
    yield item;
  }
}

const HEAD = '(select coalesce(max(position), 0) from event_log.events)';
const METADATA = `'{"correlationId":"${newId()}","causationId":null,"commandId":"${newId()}","commandHash":"","actor":"system","traceparent":null}'`;

/** Sagas that wait for a timer which is due, or that are finished long since, with the events that began them. */
async function plantSagas(count: number, isFinished: boolean): Promise<string[]> {
  const { rows } = await database.pool.query<{ id: string }>(`
    with begun as materialized (select number, uuidv7() as id, uuidv7() as agent, uuidv7() as event from generate_series(1, ${count}) number),
    planted (number, part, stream, revision, id, type, data) as (
      select number, 1, 'agent-' || agent, 0, event, 'AgentReserved', json_build_object('claimId', id, 'taskId', id) from begun
      union all
      select number, 2, 'saga-code-evolution-' || id, 0, uuidv7(), 'SagaInputReceived', json_build_object(
        'source', json_build_object('stream', 'agent-' || agent, 'revision', 0, 'eventId', event, 'position', '1'),
        'type', 'AgentReserved', 'version', 1, 'data', json_build_object('claimId', id, 'taskId', id)) from begun
      union all
      select number, 3, 'saga-code-evolution-' || id, 1, uuidv7(), 'SagaEffectRequested',
        '{"effect":{"kind":"timer","key":"later","dueAt":"2026-01-01T00:00:00.000Z"}}' from begun
      ${
        isFinished
          ? `union all
      select number, 4, 'saga-code-evolution-' || id, 2, uuidv7(), 'SagaEffectSucceeded', '{"key":"later","result":{}}' from begun
      union all
      select number, 5, 'saga-code-evolution-' || id, 3, uuidv7(), 'SagaEnded', '{"outcome":"completed","failure":null}' from begun`
          : ''
      }
    ),
    written as (
      insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
      select ${HEAD} + row_number() over (order by number, part), stream, revision, id, type, 1, data, ${METADATA}::json, now()
      from planted
    )
    select id from begun`);
  return rows.map(({ id }) => id);
}

/** As if everything up to now had been handled. */
async function plantProgress(): Promise<void> {
  for (const [consumer, topic] of [
    ['saga-code-evolution', 'agent'],
    ['saga-performer', 'saga'],
  ])
    await database.pool.query(`
      insert into sagas.topics (consumer, topic, id) values ('${consumer}', '${topic}', 'log') on conflict do nothing;
      delete from sagas.progress where consumer = '${consumer}';
      insert into sagas.progress (consumer, topic, partition, next_offset, position)
      select '${consumer}', '${topic}', partition, ${HEAD} + 1, ${HEAD} from generate_series(0, ${PARTITIONS - 1}) partition`);
}

type Statements = { readonly pool: Pool; readonly count: (part: string) => number };

function statementsOf(pool: Pool): Statements {
  const asked: string[] = [];
  const query = (...given: Parameters<Pool['query']>) => {
    asked.push(String(given[0]));
    return pool.query(...given);
  };
  return {
    pool: Object.assign(Object.create(pool) as Pool, { query }),
    count: (part) => asked.filter((sql) => sql.includes(part)).length,
  };
}

const engine = (options: { bus?: EventBus; pool?: Pool } = {}): (() => Promise<void>) => {
  const bus = options.bus ?? createInProcessBus(log);
  const stop = startEngine({ log: counted, pool: database.pool, work: () => Promise.resolve('done'), ...options, bus });
  return async () => {
    await stop();
    await bus.close();
  };
};

it(`a queue that was lost is filled again by reading what is open, beside ${FINISHED} finished sagas`, async () => {
  const open = await plantSagas(3, false);
  await plantProgress();
  await database.pool.query(
    `insert into sagas.open_effects (stream, key, revision) select 'saga-code-evolution-' || id, 'later', 1 from unnest($1::uuid[]) id`,
    [open],
  );
  const stop = engine();
  for (const id of open) await trial.until(id, isResult('later'));
  await vi.waitUntil(async () => (await database.pool.query('select from sagas.open_effects')).rowCount === 0);
  await stop();
  // Each of three sagas of two events, and its result; the first event of the log.
  expect(given.streams).toBeLessThanOrEqual(3 * 3);
  expect(given.all).toBeLessThanOrEqual(1);
});

it('what the performer missed from the start of the log on is read once, and of the sagas those that are open at its end', async () => {
  const open = await plantSagas(3, false);
  await plantProgress();
  await database.pool.query(`delete from sagas.progress where consumer = 'saga-performer'`);
  await database.pool.query(`delete from sagas.topics where consumer = 'saga-performer'`);
  const stop = engine();
  for (const id of open) await trial.until(id, isResult('later'));
  await stop();
  expect(given.streams).toBeLessThanOrEqual(3 * 3);
  // Each event of a saga once; a little more came meanwhile.
  expect(given.all).toBeGreaterThanOrEqual(4 * FINISHED);
  expect(given.all).toBeLessThanOrEqual(4 * FINISHED + 100);
});

it('lost partitions are caught up from their position on, with one look for what stands still', async () => {
  await plantProgress();
  const begun = 100;
  await database.pool.query(`
    insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
    select ${HEAD} + number, 'agent-' || uuidv7(), 0, uuidv7(), 'AgentReserved', 1,
      json_build_object('claimId', uuidv7(), 'taskId', uuidv7()), ${METADATA}::json, now()
    from generate_series(1, ${begun}) number`);
  const lost = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'agent', partition }) as const);
  const inProcess = createInProcessBus(log);
  let isLost = true;
  const bus: EventBus = {
    ...inProcess,
    consume: (options, consumer) => {
      if (options.group !== 'sagas' || !isLost) return inProcess.consume(options, consumer);
      isLost = false;
      return Promise.reject(new OffsetOutOfRange(lost));
    },
  };
  const { pool, count } = statementsOf(database.pool);
  const stop = engine({ bus, pool });
  const reached = `select from sagas.progress where consumer = 'saga-code-evolution' and position > $1`;
  const { rows } = await database.pool.query<{ least: string }>(
    `select min(position) as least from sagas.progress where consumer = 'saga-code-evolution'`,
  );
  await vi.waitUntil(async () => (await database.pool.query(reached, [rows[0]?.least])).rowCount === PARTITIONS, {
    timeout: 30_000,
  });
  await stop();
  expect(given.all).toBeGreaterThanOrEqual(begun);
  expect(given.all).toBeLessThanOrEqual(begun + 1);
  expect(count('from sagas.parked where key')).toBe(1 + count('insert into sagas.open_effects'));
});

it('instances are kept within bytes: the largest ones are read again, the others not', async () => {
  const saga: Saga<null> = {
    ...{ name: 'code-evolution', topics: [], correlate: () => null, initial: null },
    ...{ evolve: () => null, react: () => [] },
  };
  const streams = Array.from({ length: 5 }, () => streamName('saga-code-evolution', newId()));
  const request = { text: 'x'.repeat(100_000) };
  const effect = { kind: 'call', key: 'call', component: 'test', request, timeoutSeconds: 1 };
  for (const stream of streams)
    await log.append(
      stream,
      encode(stream, [{ type: 'SagaEffectRequested', data: { effect } }], anyMetadata()),
      'none',
    );
  const { logger } = captureLog();
  const storeOf = (cacheBytes: number): SagaStore =>
    createSagaStore({
      log: counted,
      sagas: [anySaga(saga)],
      outages: createOutages(logger),
      now: () => new Date(),
      cacheBytes,
    });
  const eventsReadAgain = async (store: SagaStore): Promise<number> => {
    for (const stream of streams) await store.load(stream);
    given.streams = 0;
    for (const stream of streams) await store.load(stream);
    return given.streams;
  };
  expect(await eventsReadAgain(storeOf(250_000))).toBe(5);
  expect(await eventsReadAgain(storeOf(1_000_000))).toBe(0);
});

it('what several read of one saga at once is folded once, and a gap is no history', async () => {
  const counts: Saga<number> = {
    ...{ name: 'code-evolution', topics: [], correlate: () => null, initial: 0 },
    ...{ evolve: (state) => state + 1, react: () => [] },
  };
  const stream = streamName('saga-code-evolution', newId());
  const cancelled = Array.from({ length: 50 }, () => ({ type: 'SagaEffectCancelled', data: { key: 'call' } }));
  await log.append(stream, encode(stream, cancelled, anyMetadata()), 'none');
  const gappy: EventLog = {
    ...log,
    async *readStream(...asked) {
      for await (const event of log.readStream(...asked)) if (event.revision !== 7) yield event;
    },
  };
  const { logger } = captureLog();
  const storeOf = (read: EventLog): SagaStore =>
    createSagaStore({ log: read, sagas: [anySaga(counts)], outages: createOutages(logger), now: () => new Date() });
  const store = storeOf(log);
  await store.load(stream);
  await log.append(stream, encode(stream, cancelled, anyMetadata()), 49);
  const loaded = await Promise.all(Array.from({ length: 5 }, () => store.load(stream)));
  expect(loaded.map(({ instance, revision }) => [instance.state, revision])).toEqual(Array(5).fill([100, 99]));
  await expect(storeOf(gappy).load(stream)).rejects.toThrow(LogBehind);
});

it('timers are due by the clock of the database, though that of the worker is an hour ahead', async () => {
  await plantProgress();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
  try {
    const stop = engine();
    const { taskId } = await trial.reserve();
    await trial.until(taskId, isResult('later'));
    await stop();
    const stream = streamName('saga-code-evolution', taskId);
    const { rows } = await database.pool.query<{ asked: boolean; due: boolean }>(
      `select (data -> 'effect' ->> 'dueAt')::timestamptz >= recorded_at + interval '0.2 seconds' as asked,
         (data -> 'effect' ->> 'dueAt')::timestamptz < recorded_at + interval '1 minute' as due
       from event_log.events where stream = $1 and data -> 'effect' ->> 'kind' = 'timer'`,
      [stream],
    );
    expect(rows).toEqual([{ asked: true, due: true }]);
  } finally {
    vi.useRealTimers();
  }
});
