import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { requestRedrive } from '@workledger/shared/consumption/redrives.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { listParked } from '@workledger/shared/read-models/parked.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { because, ComponentFailure } from './component.ts';
import { sagaMigrations } from './migrations.ts';
import { anySaga, cancel, request, type Saga } from './saga.ts';
import { createTrial, isResult, startEngine } from './testing/trial.ts';

/** Calls on reservation, and cancels on release. */
const saga: Saga<null> = {
  name: 'code-evolution',
  topics: ['agent'],
  correlate: ({ type, data }) => (type.startsWith('AgentRe') ? (data as { taskId: string }).taskId : null),
  initial: null,
  evolve: () => null,
  react: (_state, event) => {
    if (event.type !== 'SagaInputReceived') return [];
    const call = { kind: 'call', key: 'call', component: 'test', request: {}, timeoutSeconds: 60 } as const;
    return [event.data.type === 'AgentReserved' ? request({ ...call, parksFailure: true }) : cancel('call')];
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

it('a failure that is parked is no result: it is seen with its reason until it is asked for again, or not wanted any more', async () => {
  const trial = createTrial(log);
  let isMended = false;
  const failure = new ComponentFailure(because('tell', 'invite the app to the channel'), { retryable: false });
  const calls: string[] = [];
  const work = () => (isMended ? Promise.resolve({}) : Promise.reject(failure));
  const stop = startEngine({ ...{ log, pool: database.pool, saga: anySaga(saga), alone: false }, work, calls });
  const parked = async () => (await listParked(database.pool, null, 10)).filter(({ kind }) => kind === 'effect');
  const untilParked = (count: number) =>
    vi.waitUntil(async () => (await parked()).length === count, { timeout: 20_000 });
  const [told, unwanted] = [await trial.reserve(), await trial.reserve()];
  await untilParked(2);
  expect((await parked())[0]).toMatchObject({ key: 'call', reason: 'invite the app to the channel' });
  expect((await trial.history(told.taskId)).some(isResult('call'))).toBe(false);

  await trial.release(unwanted);
  await trial.until(unwanted.taskId, isResult('call'));
  const callsOf = ({ taskId }: typeof told): number => calls.filter((key) => key.includes(taskId)).length;
  const before = callsOf(unwanted);
  isMended = true;
  const asked = { name: 'code-evolution', stream: streamName('saga-code-evolution', told.taskId), key: 'call' };
  await requestRedrive(database.pool, 'sagas', asked, 'operator');
  const events = await trial.until(told.taskId, isResult('call'));
  expect(events.at(-1)).toMatchObject({ type: 'SagaEffectSucceeded' });
  await untilParked(0);
  expect(callsOf(unwanted)).toBe(before);
  // More than twice where a slow worker counts as gone.
  expect(callsOf(told)).toBeGreaterThanOrEqual(2);
  await stop();
}, 60_000);
