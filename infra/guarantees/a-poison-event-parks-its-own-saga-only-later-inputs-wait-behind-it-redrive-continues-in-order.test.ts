import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestRedrive } from '@workledger/shared/consumption/redrives.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { sagaMigrations } from '@workledger/sagas/engine/migrations.ts';
import { anySaga, request, type Saga } from '@workledger/sagas/engine/saga.ts';
import { createTrial, isResult, startEngine, type Trial } from '@workledger/sagas/engine/testing/trial.ts';
import { until } from '../testing/processes/until.ts';
import { portEngines } from '../testing/system/ports.ts';
import type { Ports } from '../testing/system/ports/port-engine.ts';

const SAGAS = 4;
const INPUTS = 8;
const POISONED = 3;
const POISON = 'poison';

/** Calls at each release; the version that is not mended cannot fold one whose reason is the poison. */
const sagaOf = (isMended: boolean): Saga<null> => ({
  name: 'code-evolution',
  topics: ['agent'],
  correlate: ({ type, data }) => (type.startsWith('AgentRe') ? (data as { taskId: string }).taskId : null),
  initial: null,
  evolve: (_state, event) => {
    const isPoison = event.type === 'SagaInputReceived' && (event.data.data as { reason?: string }).reason === POISON;
    if (isPoison && !isMended) throw new Error('this version cannot fold it');
    return null;
  },
  react: (_state, event) =>
    event.type === 'SagaInputReceived' && event.data.type === 'AgentReleased'
      ? [
          request({
            kind: 'call',
            key: `call${event.data.source.revision}`,
            component: 'test',
            request: {},
            timeoutSeconds: 60,
          }),
        ]
      : [],
});

describe.each(portEngines)('a poison event parks its own saga only, $name', (engine) => {
  let ports: Ports;
  let trial: Trial;
  let stops: (() => Promise<void>)[];
  beforeEach(async () => {
    stops = [];
    ports = await engine.open();
    await migrate(ports.databaseUrl, 'sagas', sagaMigrations);
    trial = createTrial(ports.log);
  });
  afterEach(async () => {
    await stopAll();
    await ports.close();
  });

  async function start(isMended: boolean): Promise<void> {
    const { log, bus } = await ports.another();
    const work = () => Promise.resolve('done');
    stops.push(startEngine({ log, bus, pool: ports.pool, work, saga: anySaga(sagaOf(isMended)), alone: false }));
  }
  async function stopAll(): Promise<void> {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  }
  const rows = async (sql: string): Promise<unknown[]> => (await ports.pool.query(sql)).rows as unknown[];
  const waiting = (): Promise<unknown[]> =>
    rows('select stream, source_revision as revision from sagas.waiting_inputs order by number');
  const parked = (): Promise<unknown[]> => rows('select stream, key from sagas.parked');
  const inputs = async (taskId: string): Promise<number[]> =>
    (await trial.history(taskId)).flatMap((event) =>
      event.type === 'SagaInputReceived' ? [event.data.source.revision] : [],
    );
  const stretch = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);
  async function redrive(stream: string): Promise<void> {
    await requestRedrive(ports.pool, 'sagas', { name: 'code-evolution', stream, key: '' }, 'operator');
    await until('the redrive to be tried', async () => (await rows('select from sagas.redrives')).length === 0);
  }

  test('later inputs wait behind it, in order, and a redrive continues in order, each once', async () => {
    await start(false);
    const begun = await Promise.all(Array.from({ length: SAGAS }, () => trial.reserve()));
    const [ill, ...well] = begun as [(typeof begun)[number], ...typeof begun];
    const stream = streamName('saga-code-evolution', ill.taskId);
    for (let times = 0; times < INPUTS; times++)
      for (const ids of begun)
        await trial.release(ids, ids === ill && times + 1 === POISONED ? POISON : 'enough', times);

    const all = stretch(0, INPUTS + 1);
    const behind = stretch(POISONED, INPUTS + 1).map((revision) => ({ stream, revision }));
    const everyOther = async (): Promise<boolean> => {
      for (const { taskId } of well) if ((await inputs(taskId)).length < all.length) return false;
      return (await waiting()).length === behind.length;
    };
    await until('all others to go on', everyOther);
    for (const { taskId } of well) expect(await inputs(taskId)).toEqual(all);
    expect(await parked()).toEqual([{ stream, key: '' }]);
    expect(await waiting()).toEqual(behind);
    expect(await inputs(ill.taskId)).toEqual(stretch(0, POISONED));

    // A restart, and a redrive that mends nothing, change nothing.
    await stopAll();
    await start(false);
    await redrive(stream);
    expect(await waiting()).toEqual(behind);
    expect(await inputs(ill.taskId)).toEqual(stretch(0, POISONED));

    await stopAll();
    await start(true);
    await redrive(stream);
    expect(await inputs(ill.taskId)).toEqual(all);
    expect([await parked(), await waiting()]).toEqual([[], []]);
    await trial.release(ill, 'enough', INPUTS);
    const events = await trial.until(ill.taskId, isResult(`call${INPUTS + 1}`));
    expect(await inputs(ill.taskId)).toEqual(stretch(0, INPUTS + 2));
    const requested = events.flatMap((event) => (event.type === 'SagaEffectRequested' ? [event.data.effect.key] : []));
    expect(requested).toEqual(stretch(1, INPUTS + 2).map((number) => `call${number}`));
  });
});
