import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pino from 'pino';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { SagaEvent } from '@workledger/shared/events/saga.ts';
import { newId, streamName } from '@workledger/shared/events/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/shared/testing/database.ts';
import { ComponentFailure, type Component } from '../components/component.ts';
import { runCoordinator } from './coordinator.ts';
import { sagaMigrations } from './migrations.ts';
import { runPerformer } from './performer.ts';
import { createEffectQueue } from './queue.ts';
import { startRunner } from './runner.ts';
import { createRunningJobs } from './running-jobs.ts';
import { anySaga, cancel, request, timer, type Saga } from './saga.ts';
import { createSagaStore } from './store.ts';
import { createWorkers, startHeartbeat } from './workers.ts';

/** Calls on reservation, waits for a timer on its success, and cancels when the agent is released. */
const saga: Saga<null> = {
  name: 'code-evolution',
  topics: ['agent'],
  correlate: ({ type, data }) => (type.startsWith('AgentRe') ? (data as { taskId: string }).taskId : null),
  initial: null,
  evolve: () => null,
  react: (_state, event, effects) => {
    if (event.type === 'SagaInputReceived' && event.data.type === 'AgentReserved')
      return [request({ kind: 'call', key: 'call', component: 'test', request: event.data.data, timeoutSeconds: 60 })];
    if (event.type === 'SagaInputReceived') return effects.get('call')?.state === 'requested' ? [cancel('call')] : [];
    if (event.type === 'SagaEffectSucceeded' && event.data.key === 'call') return [request(timer('later', 0.3))];
    return [];
  },
};

let database: TestDatabase;
let log: EventLog;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
});

afterAll(async () => {
  await log.close();
  await database.drop();
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

type Work = (signal: AbortSignal) => Promise<unknown>;

async function start(work: Work, calls: string[] = []) {
  const logger = pino({ level: 'silent' });
  const component: Component = {
    name: 'test',
    perform: (_request, { key, signal }) => {
      calls.push(key);
      return work(signal);
    },
  };
  const { pool } = database;
  const bus = createInProcessBus(log);
  const store = createSagaStore(log, [anySaga(saga)]);
  const queue = await createEffectQueue(pool);
  const workers = createWorkers();
  const running = createRunningJobs();
  const consuming = new AbortController();
  const { signal } = consuming;
  const stopHeartbeat = await startHeartbeat({ pool, workers, running, logger, alone: true });
  const components = new Map([['test', component]]);
  const commands = { send: () => Promise.reject(new Error('this saga sends no commands')) };
  const runner = await startRunner({ pool, store, workers, running, commands, components, callConcurrency: 2, logger });
  const loops = [
    runCoordinator(anySaga(saga), { bus, store, pool, logger, signal }),
    runPerformer({ bus, store, queue, pool, logger, signal }),
  ];
  return async () => {
    consuming.abort();
    await Promise.all(loops);
    await runner.stop();
    await stopHeartbeat();
    await queue.close();
    await bus.close();
  };
}

async function agentEvent(agentId: string, type: string, data: object, expected: 'none' | number): Promise<void> {
  const stream = streamName('agent', agentId);
  const metadata = {
    correlationId: newId(),
    causationId: null,
    commandId: newId(),
    commandHash: '',
    actor: 'system',
    traceparent: null,
  };
  await log.append(stream, encode(stream, [{ type, data }], metadata), expected);
}

async function reserve(): Promise<{ agentId: string; taskId: string; claimId: string }> {
  const ids = { agentId: newId(), taskId: newId(), claimId: newId() };
  await agentEvent(ids.agentId, 'AgentReserved', { claimId: ids.claimId, taskId: ids.taskId }, 'none');
  return ids;
}

async function history(id: string): Promise<SagaEvent[]> {
  const events: SagaEvent[] = [];
  for await (const event of log.readStream(streamName('saga-code-evolution', id)))
    events.push(event as unknown as SagaEvent);
  return events;
}

async function until(id: string, found: (event: SagaEvent) => boolean): Promise<SagaEvent[]> {
  for (;;) {
    const events = await history(id);
    if (events.some(found)) return events;
    await pause(20);
  }
}

const isResult = (key: string) => (event: SagaEvent) =>
  (event.type === 'SagaEffectSucceeded' || event.type === 'SagaEffectFailed') && event.data.key === key;

describe('the saga engine', () => {
  it('carries an input through a call and a timer, each once, and records it all in one stream', async () => {
    const calls: string[] = [];
    const stop = await start(() => Promise.resolve({ answer: 42 }), calls);
    const { taskId } = await reserve();
    const events = await until(taskId, isResult('later'));
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
    const stop = await start(() => Promise.reject(new ComponentFailure(failure, { retryable: false })));
    const { taskId } = await reserve();
    const events = await until(taskId, isResult('call'));
    await stop();
    expect(events.at(-1)?.data).toEqual({ key: 'call', failure, retryable: false, costUsd: null, prompt: null });
  });

  it('performs again what was interrupted by a stop, under the same key', async () => {
    const calls: string[] = [];
    const started = withResolvers();
    const hang: Work = (signal) =>
      new Promise((_resolve, reject) => {
        started.resolve();
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const stop = await start(hang, calls);
    const { taskId } = await reserve();
    await started.promise;
    await stop();
    const stopAgain = await start(() => Promise.resolve('done'), calls);
    await until(taskId, isResult('call'));
    await stopAgain();
    expect(calls).toEqual([`saga-code-evolution-${taskId}/call`, `saga-code-evolution-${taskId}/call`]);
  });

  it('fills a queue that was lost again from the log, without performing anything twice', async () => {
    const calls: string[] = [];
    const done = await start(() => Promise.resolve('done'), calls);
    const first = await reserve();
    await until(first.taskId, isResult('later'));
    await done();
    const waiting = await reserve();
    await database.pool.query('drop schema graphile_worker cascade');
    const stop = await start(() => Promise.resolve('done'), calls);
    await until(waiting.taskId, isResult('later'));
    await stop();
    expect(calls.filter((key) => key.includes(first.taskId))).toHaveLength(1);
    expect((await history(first.taskId)).filter(isResult('call'))).toHaveLength(1);
  });

  it('stops a running call that was cancelled and notes that it has stopped', async () => {
    const started = withResolvers();
    const hang: Work = (signal) =>
      new Promise((_resolve, reject) => {
        started.resolve();
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const stop = await start(hang);
    const { agentId, taskId, claimId } = await reserve();
    await started.promise;
    await agentEvent(agentId, 'AgentReleased', { claimId, taskId, reason: 'enough' }, 0);
    const events = await until(taskId, isResult('call'));
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
    const stop = await start(() => pause(8_000), calls);
    const { taskId } = await reserve();
    await until(taskId, isResult('call'));
    await stop();
    expect(calls).toHaveLength(1);
  });

  it('gives what a stop interrupted back to the queue at once, also time after time', async () => {
    const calls: string[] = [];
    const hang: Work = (signal) => pause(60_000, undefined, { signal });
    const { taskId } = await reserve();
    for (let time = 1; time <= 3; time++) {
      const stop = await start(hang, calls);
      while (calls.length < time) await pause(20);
      await stop();
      const { rows } = await database.pool.query<{ due: boolean }>(
        'select run_at <= now() as due from graphile_worker._private_jobs where key = $1',
        [`saga-code-evolution-${taskId}/call`],
      );
      expect(rows).toEqual([{ due: true }]);
    }
    const stop = await start(() => Promise.resolve('done'), calls);
    await until(taskId, isResult('call'));
    await stop();
  });

  it('records a result that is too large for the log as a failure, and performs nothing again', async () => {
    const calls: string[] = [];
    const stop = await start(() => Promise.resolve('x'.repeat(600_000)), calls);
    const { taskId } = await reserve();
    const events = await until(taskId, isResult('call'));
    await stop();
    expect(events.at(-1)).toMatchObject({ type: 'SagaEffectFailed', data: { retryable: false } });
    expect(calls).toHaveLength(1);
  });
});
