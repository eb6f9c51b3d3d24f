import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { NoAnswer, type Commands } from '@workledger/shared/commands/port.ts';
import { requestRedrive } from '@workledger/shared/consumption/redrives.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { partitionOf } from '@workledger/shared/event-bus/partition.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { sagaMigrations } from './migrations.ts';
import { anySaga, cancel, request, type Saga } from './saga.ts';
import { createTrial, hang, isResult, startEngine, type EngineUnderTest, type Trial } from './testing/trial.ts';

let database: TestDatabase;
let log: EventLog;
let trial: Trial;
let captured: ReturnType<typeof captureLog>;
let calls: string[];
let stops: (() => Promise<void>)[];
/** What this version of the program cannot fold, and what it cannot decide on. */
let unfoldable: string | null;
let undecidable: string | null;
/** Of one test: sagas of the others hold other ones. */
let poison: string;

/** Calls at each release; a release for the reason `give up` cancels the first call, one for `command` sends a command instead. */
const saga: Saga<null> = {
  name: 'code-evolution',
  topics: ['agent', 'sync'],
  correlate: ({ type, data }) =>
    type.startsWith('AgentRe') || type === 'DeliveryRouted' ? (data as { taskId: string }).taskId : null,
  initial: null,
  evolve: (_state, event) => {
    if (event.type === 'SagaInputReceived' && reasonOf(event) === unfoldable) throw new Error(`what is ${unfoldable}?`);
    return null;
  },
  react: (_state, event, effects) => {
    if (event.type === 'SagaEffectSucceeded' && event.data.key === undecidable) throw new Error('what now?');
    if (event.type !== 'SagaInputReceived' || event.data.type !== 'AgentReleased') return [];
    const key = `call${event.data.source.revision}`;
    const target = newId();
    if (reasonOf(event) === 'command')
      return [request({ kind: 'command', key, type: 'task.complete-parent', target, data: {} })];
    if (reasonOf(event) === 'give up') return [...effects.keys()].map(cancel);
    return [request({ kind: 'call', key, component: 'test', request: {}, timeoutSeconds: 60 })];
  },
};
const reasonOf = (event: { readonly data: { readonly data: unknown } }): unknown =>
  (event.data.data as { reason?: string }).reason;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
  trial = createTrial(log);
});
beforeEach(() => {
  [captured, calls, stops, unfoldable, undecidable, poison] = [captureLog(), [], [], null, null, newId()];
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await database.pool.query('truncate sagas.parked, sagas.waiting_inputs, sagas.redrives');
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

function start(options: Partial<EngineUnderTest> = {}): () => Promise<void> {
  const { pool } = database;
  const { logger } = captured;
  const common = { log, pool, calls, logger, saga: anySaga(saga), alone: false, work: () => Promise.resolve('done') };
  const stop = startEngine({ ...common, ...options });
  stops.push(stop);
  return stop;
}
const rows = async (sql: string): Promise<unknown[]> => (await database.pool.query(sql)).rows as unknown[];
const parked = (): Promise<unknown[]> => rows('select stream, key, reason from sagas.parked order by stream, key');
const waiting = (): Promise<unknown[]> =>
  rows('select stream, source_revision as revision from sagas.waiting_inputs order by number');
const jobs = async (stream: string): Promise<number> =>
  (await rows(`select from graphile_worker._private_jobs where starts_with(key, '${stream}/')`)).length;
const until = (holds: () => Promise<boolean> | boolean): Promise<boolean> => vi.waitUntil(holds, { timeout: 20_000 });
const streamOf = (taskId: string): string => streamName('saga-code-evolution', taskId);
/** Revisions of the events that a saga was given, as its stream has them. */
const inputs = async (taskId: string): Promise<number[]> =>
  (await trial.history(taskId)).flatMap((event) =>
    event.type === 'SagaInputReceived' ? [event.data.source.revision] : [],
  );
async function redrive(taskId: string, key = ''): Promise<void> {
  const asked = { name: 'code-evolution', stream: streamOf(taskId), key };
  await requestRedrive(database.pool, 'sagas', asked, 'operator');
  await until(async () => (await rows('select from sagas.redrives')).length === 0);
}

describe('an input that a saga cannot fold', () => {
  it('lets that saga stand still alone, its later inputs behind it; a redrive goes on in order, once each', async () => {
    unfoldable = poison;
    start();
    const [ill, well] = [await trial.reserve(), await trial.reserve()];
    await trial.release(ill, poison);
    for (const times of [1, 2]) await trial.release(ill, 'enough', times);
    await trial.release(well);
    await trial.until(well.taskId, isResult('call1'));
    const stream = streamOf(ill.taskId);
    await until(async () => (await waiting()).length === 3);
    expect(await waiting()).toEqual([1, 2, 3].map((revision) => ({ stream, revision })));
    expect(await parked()).toMatchObject([{ stream, key: '', reason: expect.stringContaining(`what is ${poison}?`) }]);
    expect(await inputs(ill.taskId)).toEqual([0]);
    expect(captured.text().split('a saga cannot go on').length - 1).toBe(1);

    // Not mended: it stands still as before.
    await redrive(ill.taskId);
    expect([(await waiting()).length, (await parked()).length, await inputs(ill.taskId)]).toEqual([3, 1, [0]]);

    unfoldable = null;
    await redrive(ill.taskId);
    await trial.until(ill.taskId, isResult('call3'));
    expect(await inputs(ill.taskId)).toEqual([0, 1, 2, 3]);
    expect([await waiting(), await parked()]).toEqual([[], []]);
    await trial.release(ill, 'enough', 3);
    await trial.until(ill.taskId, isResult('call4'));
    expect(calls.filter((key) => key.startsWith(stream)).toSorted()).toEqual(
      [1, 2, 3, 4].map((n) => `${stream}/call${n}`),
    );
  });

  it('is gone on from by several workers, though one dies in the middle: nothing twice, nothing left out', async () => {
    unfoldable = poison;
    start();
    const ill = await trial.reserve();
    await trial.release(ill, poison);
    for (let times = 1; times < 20; times++) await trial.release(ill, 'enough', times);
    await until(async () => (await waiting()).length === 20);
    unfoldable = null;
    let reads = 0;
    // Its database session ends as that of a process that was killed.
    const dying: EventLog = {
      ...log,
      async *readStream(stream, options) {
        if (stream.startsWith('agent-') && ++reads === 8) {
          await database.pool.query(
            `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
             and database = (select oid from pg_database where datname = current_database())`,
          );
          throw new Error('killed');
        }
        yield* log.readStream(stream, options);
      },
    };
    for (let workers = 0; workers < 2; workers++) start({ log: dying });
    await redrive(ill.taskId);
    await until(async () => (await parked()).length === 0);
    const revisions = await inputs(ill.taskId);
    expect(revisions).toEqual(Array.from({ length: 21 }, (_, revision) => revision));
    expect(reads).toBeGreaterThanOrEqual(8);
    await trial.until(ill.taskId, isResult('call20'));
  });

  it('may be one of its own history: its job ends, and the sweep goes past it', async () => {
    const [ill, well] = [await trial.reserve(), await trial.reserve()];
    const stop = start({ work: hang() });
    await trial.release(ill, poison);
    await trial.release(well);
    const isRequested = ({ type }: { type: string }): boolean => type === 'SagaEffectRequested';
    for (const { taskId } of [ill, well]) await trial.until(taskId, isRequested);
    await until(async () => (await openEffects()).length >= 2);
    await stop();
    await database.pool.query('delete from graphile_worker._private_jobs');
    unfoldable = poison;
    start();
    await trial.until(well.taskId, isResult('call1'));
    await until(async () => (await parked()).length === 1);
    expect(await jobs(streamOf(ill.taskId))).toBe(0);
    unfoldable = null;
    await redrive(ill.taskId);
    await trial.until(ill.taskId, isResult('call1'));
  });

  it('concerns it only when it is wanted: what cannot be read and nobody wants stops nothing', async () => {
    start();
    const [taskId, delivery] = [newId(), streamName('delivery', newId())];
    // Version 1 as nobody ever wrote it: no upcaster can read it.
    const unreadable = (data: object) => ({ ...anyEvent(data, 'DeliveryRouted'), version: 1 });
    await log.append(
      delivery,
      [{ ...anyEvent(null, 'DeliveryIgnored') }, unreadable({ taskId, intent: null })],
      'none',
    );
    await until(async () => (await parked()).length === 1);
    expect(await parked()).toMatchObject([
      { stream: streamOf(taskId), reason: expect.stringContaining('cannot be read') },
    ]);
    expect(await waiting()).toEqual([{ stream: streamOf(taskId), revision: 1 }]);
  });
});

const openEffects = (): Promise<unknown[]> => rows('select from sagas.open_effects');

describe('a result on which a saga cannot decide', () => {
  it('ends its job and lets the saga stand still; after a redrive it is performed again and recorded once', async () => {
    undecidable = 'call1';
    start();
    const ill = await trial.reserve();
    await trial.release(ill);
    await until(async () => (await parked()).length === 1);
    await until(async () => (await jobs(streamOf(ill.taskId))) === 0);
    await trial.release(ill, 'enough', 1);
    await until(async () => (await waiting()).length === 1);
    expect(calls.filter((key) => key.startsWith(streamOf(ill.taskId)))).toHaveLength(1);
    undecidable = null;
    await redrive(ill.taskId);
    const events = await trial.until(ill.taskId, isResult('call2'));
    await trial.until(ill.taskId, isResult('call1'));
    expect(events.filter(isResult('call1')).length).toBeLessThanOrEqual(1);
    expect(await inputs(ill.taskId)).toEqual([0, 1, 2]);
  });
});

describe('a command that fails for other reasons than an outage', () => {
  const tries = { most: 3, shortest: 10, longest: 20 };
  const answer = { id: newId(), stream: '', revision: 0, token: '', details: {} };

  it('ends after so many tries as a dead letter that the sweep leaves alone, until a redrive', async () => {
    let sent = 0;
    let isBroken = true;
    const commands: Commands = {
      send: () => (++sent, isBroken ? Promise.reject(new Error('a bug')) : Promise.resolve(answer)),
    };
    start({ commands, tries, sweepMilliseconds: 100 });
    const { taskId, ...ids } = await trial.reserve();
    await trial.release({ taskId, ...ids }, 'command');
    await until(async () => (await parked()).length === 1);
    expect(await parked()).toEqual([{ stream: streamOf(taskId), key: 'call1', reason: 'failed 3 times: a bug' }]);
    await until(async () => (await jobs(streamOf(taskId))) === 0);
    await database.pool.query(`update sagas.open_effects set noted_at = noted_at - interval '1 minute'`);
    await pause(400);
    expect([sent, await jobs(streamOf(taskId))]).toEqual([3, 0]);
    isBroken = false;
    await redrive(taskId, 'call1');
    await trial.until(taskId, isResult('call1'));
    expect([sent, await parked()]).toEqual([4, []]);
  });

  it('is not tried to death by an outage', async () => {
    let sent = 0;
    const commands: Commands = {
      send: () =>
        ++sent < 2 ? Promise.reject(new NoAnswer('command-service cannot be reached')) : Promise.resolve(answer),
    };
    start({ commands, tries: { ...tries, most: 1 } });
    const ids = await trial.reserve();
    await trial.release(ids, 'command');
    await trial.until(ids.taskId, isResult('call1'));
    expect([sent, await parked()]).toEqual([2, []]);
  });

  it('is noted as stopped when the saga gives it up', async () => {
    start({ commands: { send: () => Promise.reject(new Error('a bug')) }, tries });
    const ids = await trial.reserve();
    await trial.release(ids, 'command');
    await until(async () => (await parked()).length === 1);
    // Given up while its job still ends, it would be noted by the next sweep.
    await until(async () => (await jobs(streamOf(ids.taskId))) === 0);
    await trial.release(ids, 'give up', 1);
    const events = await trial.until(ids.taskId, isResult('call1'));
    expect(events.at(-1)).toMatchObject({ type: 'SagaEffectFailed', data: { failure: { reason: 'cancelled' } } });
    expect(await parked()).toEqual([]);
  });
});

// The last of all: what it writes holds these partitions for whoever comes after.
describe('what a newer program wrote', () => {
  it('into the stream of a saga holds the partitions of its inputs, and parks nothing', async () => {
    const [newer, well] = [await trial.reserve(), await trial.reserve()];
    const waits = new Map<string, string | null>();
    start({ onWaiting: (where, reason) => void waits.set(where, reason) });
    await until(async () => (await inputs(newer.taskId)).length + (await inputs(well.taskId)).length === 2);
    await log.append(streamOf(newer.taskId), [anyEvent({}, 'SagaTeleported')], 0);
    await trial.release(newer);
    await until(() => waits.has(`saga-code-evolution at agent/${partitionOf(streamName('agent', newer.agentId))}`));
    // Its jobs and the sweep meet it as well.
    await until(() => waits.has(`saga-performer at saga/${partitionOf(streamOf(newer.taskId))}`));
    expect([...waits.values()].every((reason) => reason?.includes('SagaTeleported v1'))).toBe(true);
    expect([await parked(), await inputs(newer.taskId)]).toEqual([[], [0]]);
    expect(captured.text().split('waits for an update').length - 1).toBe(2);
  });
});
