import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { because, ComponentFailure, NotBegun, Postponed } from './component.ts';
import { sagaMigrations } from './migrations.ts';
import { createTrial, hang, isResult, startEngine, withResolvers, type Trial, type Work } from './testing/trial.ts';

let database: TestDatabase;
let log: EventLog;
let trial: Trial;
const captured = captureLog();

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
  trial = createTrial(log);
});

afterAll(async () => {
  await log.close();
  await database.drop();
});

const openEffects = async (): Promise<number> =>
  (await database.pool.query('select from sagas.open_effects')).rowCount ?? 0;
const start = (work: Work, calls: string[] = []): (() => Promise<void>) =>
  startEngine({ log, pool: database.pool, work, calls });

describe('the saga engine', () => {
  it('carries an input through a call and a timer, each once, and records it all in one stream', async () => {
    const calls: string[] = [];
    const stop = start(() => Promise.resolve({ answer: 42 }), calls);
    const { taskId } = await trial.reserve();
    const events = await trial.until(taskId, isResult('later'));
    await stop();
    expect(events.map(({ type }) => type)).toEqual([
      'SagaInputReceived',
      'SagaEffectRequested',
      'SagaEffectSucceeded',
      'SagaEffectRequested',
      'SagaEffectSucceeded',
    ]);
    expect(events[2]?.data).toEqual({ key: 'call', result: { answer: 42 } });
    expect(calls).toEqual([`saga-code-evolution-${taskId}/call`]);
  });

  it('records why a component could not do it', async () => {
    const failure = { step: 'test', reason: 'no', command: ['x'], exitCode: 3, lastLines: ['last'], log: null };
    const stop = start(() => Promise.reject(new ComponentFailure(failure, { retryable: false })));
    const { taskId } = await trial.reserve();
    const events = await trial.until(taskId, isResult('call'));
    await stop();
    expect(events.at(-1)?.data).toEqual({
      key: 'call',
      failure,
      retryable: false,
      costUsd: null,
      prompt: null,
      fault: 'component',
    });
  });

  it('performs again what was interrupted by a stop, under the same key', async () => {
    const calls: string[] = [];
    const started = withResolvers();
    const stop = start(hang(started.resolve), calls);
    const { taskId } = await trial.reserve();
    await started.promise;
    await stop();
    const stopAgain = start(() => Promise.resolve('done'), calls);
    const events = await trial.until(taskId, isResult('call'));
    await stopAgain();
    expect(calls).toEqual([`saga-code-evolution-${taskId}/call`, `saga-code-evolution-${taskId}/call`]);
    expect(events.flatMap(({ type, data }) => (type === 'SagaEffectInterrupted' ? [data] : []))).toEqual([
      {
        key: 'call',
        times: 1,
        failure: expect.objectContaining({ reason: 'interrupted by a restart: it begins anew' }),
      },
    ]);
  });

  it('postpones what cannot be done now, tells why once, and does it when it can: at once after a start', async () => {
    const calls: string[] = [];
    const failure = because('test', 'repository "gone" is not in the configuration');
    const stop = start(() => Promise.reject(new Postponed(failure)), calls);
    const { taskId } = await trial.reserve();
    while (calls.length < 2) await pause(20);
    await stop();
    const types = (await trial.history(taskId)).map(({ type }) => type);
    expect(types).toEqual(['SagaInputReceived', 'SagaEffectRequested', 'SagaEffectPostponed']);
    const { rows } = await database.pool.query(
      `update graphile_worker._private_jobs set run_at = now() + interval '1 hour' returning attempts, last_error`,
    );
    expect(rows).toEqual([{ attempts: 0, last_error: null }]);

    const stopAgain = start(() => Promise.resolve('done'), calls);
    const events = await trial.until(taskId, isResult('call'));
    await stopAgain();
    expect(events.filter(({ type }) => type === 'SagaEffectPostponed')).toHaveLength(1);
  });

  it('records no interruption of a call that had not begun', async () => {
    const started = withResolvers();
    const stop = start((signal) => {
      started.resolve();
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new NotBegun('it waited for its turn'))),
      );
    });
    const { taskId } = await trial.reserve();
    await started.promise;
    await stop();
    expect((await trial.history(taskId)).map(({ type }) => type)).toEqual(['SagaInputReceived', 'SagaEffectRequested']);
    const stopAgain = start(() => Promise.resolve('done'));
    await trial.until(taskId, isResult('call'));
    await stopAgain();
  });

  it('fills a queue that was lost again from the log, without performing anything twice', async () => {
    const calls: string[] = [];
    const done = start(() => Promise.resolve('done'), calls);
    const first = await trial.reserve();
    await trial.until(first.taskId, isResult('later'));
    await done();
    const waiting = await trial.reserve();
    await database.pool.query('drop schema graphile_worker cascade');
    const stop = start(() => Promise.resolve('done'), calls);
    await trial.until(waiting.taskId, isResult('later'));
    await stop();
    expect(calls.filter((key) => key.includes(first.taskId))).toHaveLength(1);
    expect((await trial.history(first.taskId)).filter(isResult('call'))).toHaveLength(1);
  });

  it('queues again at its start what was requested and has neither a result nor a job', async () => {
    const calls: string[] = [];
    const begun = withResolvers();
    const stop = start(hang(begun.resolve), calls);
    const { taskId } = await trial.reserve();
    await begun.promise;
    await stop();
    await database.pool.query('delete from graphile_worker._private_jobs');
    const stopAgain = start(() => Promise.resolve('done'), calls);
    await trial.until(taskId, isResult('later'));
    // The performer hears of the result over the bus, too: not after it was stopped.
    await vi.waitUntil(async () => (await openEffects()) === 0, { timeout: 10_000 });
    await stopAgain();
    expect(calls).toEqual([1, 2].map(() => `saga-code-evolution-${taskId}/call`));
  });

  it('queues again by and by what loses its job while it runs', async () => {
    const { taskId } = await trial.reserve();
    const stop = startEngine({
      ...{ log, pool: database.pool, work: () => Promise.resolve('done'), sweepMilliseconds: 200 },
      logger: captured.logger,
    });
    await trial.until(taskId, isResult('call'));
    const lose = `delete from graphile_worker._private_jobs where key like '%/later' and locked_at is null`;
    await vi.waitUntil(async () => (await database.pool.query(lose)).rowCount === 1, { interval: 5 });
    // Nobody takes what is on its way into the queue for lost.
    await database.pool.query(`update sagas.open_effects set noted_at = noted_at - interval '1 minute'`);
    await trial.until(taskId, isResult('later'));
    await stop();
    expect(captured.text()).toContain('effects that had no job are queued again');
  });

  it('takes jobs again though its workers could not ask for their tasks at first', async () => {
    await database.pool.query('alter table graphile_worker._private_tasks rename to away');
    const stop = start(() => Promise.resolve('done'));
    await pause(2_500);
    await database.pool.query('alter table graphile_worker.away rename to _private_tasks');
    const { taskId } = await trial.reserve();
    await trial.until(taskId, isResult('later'));
    await stop();
  });

  it('costs nothing for what has its result: the open effects are all that is kept', async () => {
    const stop = start(() => Promise.resolve('done'));
    const begun = await Promise.all(Array.from({ length: 20 }, () => trial.reserve()));
    for (const { taskId } of begun) await trial.until(taskId, isResult('later'));
    await vi.waitUntil(async () => (await openEffects()) === 0);
    await stop();
  });

  it('goes on only when the log gives what it said that it holds', async () => {
    const calls: string[] = [];
    let short = 0;
    const forgetful: EventLog = {
      ...log,
      async *readStream(stream, options) {
        if (stream.startsWith('saga-') && short < 6) {
          short += 1;
          return;
        }
        yield* log.readStream(stream, options);
      },
    };
    const stop = startEngine({
      ...{ log: forgetful, pool: database.pool, work: () => Promise.resolve('done'), calls },
      bus: createInProcessBus(log),
    });
    const { taskId } = await trial.reserve();
    await trial.until(taskId, isResult('later'));
    await stop();
    expect(short).toBe(6);
    expect(calls).toHaveLength(1);
  });

  it('stops a running call that was cancelled and notes that it has stopped', async () => {
    const started = withResolvers();
    const stop = start(hang(started.resolve));
    const ids = await trial.reserve();
    await started.promise;
    await trial.release(ids);
    const events = await trial.until(ids.taskId, isResult('call'));
    await stop();
    expect(events.map(({ type }) => type)).toEqual([
      'SagaInputReceived',
      'SagaEffectRequested',
      'SagaInputReceived',
      'SagaEffectCancelled',
      'SagaEffectFailed',
    ]);
  });

  it('leaves a long call to its worker: one start, however long it takes', async () => {
    const calls: string[] = [];
    const stop = start(() => pause(8_000), calls);
    const { taskId } = await trial.reserve();
    await trial.until(taskId, isResult('call'));
    await stop();
    expect(calls).toHaveLength(1);
  });

  it('leaves a call alone that begins while its process is still telling for the first time that it lives', async () => {
    const calls: string[] = [];
    const slowToTell = new Proxy(database.pool, {
      get: (pool, name) => {
        const value: unknown = Reflect.get(pool, name, pool);
        if (typeof value !== 'function') return value;
        if (name !== 'query') return value.bind(pool) as unknown;
        return async (...args: unknown[]) => {
          if (String(args[0]).includes('insert into sagas.workers')) await pause(1_500);
          return value.apply(pool, args) as unknown;
        };
      },
    });
    const { taskId } = await trial.reserve();
    const work: Work = (signal) => pause(3_000, 'done', { signal });
    const stop = startEngine({ log, pool: slowToTell, work, calls });
    const events = await trial.until(taskId, isResult('call'));
    await stop();
    expect(events.find(isResult('call'))).toMatchObject({ type: 'SagaEffectSucceeded', data: { result: 'done' } });
    expect(calls).toHaveLength(1);
  });

  it('gives what a stop interrupted back to the queue at once, also time after time', async () => {
    const calls: string[] = [];
    const { taskId } = await trial.reserve();
    for (let time = 1; time <= 3; time++) {
      const stop = start(hang(), calls);
      while (calls.length < time) await pause(20);
      await stop();
      const { rows } = await database.pool.query<{ due: boolean }>(
        'select run_at <= now() as due from graphile_worker._private_jobs where key = $1',
        [`saga-code-evolution-${taskId}/call`],
      );
      expect(rows).toEqual([{ due: true }]);
    }
    const stop = start(() => Promise.resolve('done'), calls);
    await trial.until(taskId, isResult('call'));
    await stop();
  });

  it('records a result that is too large for the log as a failure, and performs nothing again', async () => {
    const calls: string[] = [];
    const stop = start(() => Promise.resolve('x'.repeat(600_000)), calls);
    const { taskId } = await trial.reserve();
    const events = await trial.until(taskId, isResult('call'));
    await stop();
    expect(events.at(-1)).toMatchObject({ type: 'SagaEffectFailed', data: { retryable: false } });
    expect(calls).toHaveLength(1);
  });
});
