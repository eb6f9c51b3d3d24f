import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Part, RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { effectsOf, isFinal, sagasOf, untilEnded, untilFinal, type SagaRecord } from '../testing/system/saga.ts';
import { diesOften, storageOf } from '../testing/system/storm.ts';
import { until } from '../testing/processes/until.ts';
import { createWorkshop, type Workshop } from '../testing/repository/workshop.ts';

/** Git's own processes: they do what they were told once, killed or not. */
const PUSHES = ['publish', 'unpublish', 'merge'];

describe.each(engines)('every step of a saga is requested under one stable key ($name)', (engine) => {
  const diesAtEachStep = diesOften(engine.name);
  let workshop: Workshop;
  let system: RunningSystem;
  let taskId: string;

  beforeAll(async () => {
    workshop = await createWorkshop();
    // A claim must outlive a start on a busy machine: this is not about leases that run out.
    const repositories = workshop.settings.repositories ?? [];
    const plain = repositories.map((sample) => ({ ...sample, name: 'plain', evolve: null }));
    const settings = { ...workshop.settings, repositories: [...repositories, ...plain] };
    const patient = { ...settings, leaseSeconds: 600, heartbeatSeconds: 300 };
    system = await engine.start(patient, { storage: storageOf(engine.name) });
  });
  afterAll(async () => {
    await system?.dispose();
    await workshop.dispose();
  });

  async function create(title: string, repository = 'sample'): Promise<void> {
    const body = { title, repository, capabilities: ['code'] };
    taskId = (await system.client.expect2xx('POST', '/tasks', { body })).id;
  }

  /** Goes on, too, when the task has ended before its time: the expectations will tell. */
  const at = (point: string, times: number): Promise<unknown> =>
    until(
      `visit ${times} at ${point}`,
      async () => (await workshop.visits(point)) >= times || (await isFinal(system.client, taskId)),
    );

  /** Kills while these points are held, and lets them go on when they are reached again after the restart. */
  async function dieAt(points: readonly string[], ...parts: readonly Part[]): Promise<void> {
    for (const point of points) await at(point, 1);
    await system.kill9(...parts);
    await system.restart();
    for (const point of points) await at(point, 2);
    for (const point of points.filter((each) => !PUSHES.includes(each)))
      expect(await workshop.alive(point), `processes at ${point}`).toHaveLength(1);
    await workshop.release(...points);
  }

  async function run(): Promise<readonly SagaRecord[]> {
    for (const [stream, events] of await sagasOf(system.client, 'saga-code-evolution')) {
      const [first] = events;
      if (first?.type !== 'SagaInputReceived' || first.data.source.stream !== `task-${taskId}`) continue;
      await untilEnded(system.client, stream);
      return (await system.client.stream(stream)) as readonly SagaRecord[];
    }
    return [];
  }

  async function expectEachEffectOnce(): Promise<void> {
    const sagas = await sagasOf(system.client, 'saga');
    const repeated = [...sagas].flatMap(([stream, events]) =>
      [...effectsOf(events)]
        .filter(([, { requested, results }]) => requested !== 1 || results > 1)
        .map(([key, counts]) => ({ stream, key, ...counts })),
    );
    expect(repeated).toEqual([]);
  }

  it('brings a task to its merged end, though every process dies while its steps are under way', async () => {
    await workshop.hold('candidate-1.1', 'candidate-1.3');
    if (diesAtEachStep) await workshop.hold('generate-1-1', 'test', 'publish', 'merge');
    await create('Make it cheaper');

    if (diesAtEachStep) await dieAt(['generate-1-1'], 'service');
    if (diesAtEachStep) await dieAt(['test'], 'storage');
    await until('the candidate that nobody holds', async () => {
      const candidate = (event: SagaRecord): boolean =>
        event.type === 'SagaEffectSucceeded' && event.data.key.endsWith('/candidate-1.2');
      const sagas = await sagasOf(system.client, 'saga-code-evolution');
      return [...sagas.values()].flat().some(candidate) || (await isFinal(system.client, taskId));
    });
    await dieAt(['candidate-1.1', 'candidate-1.3'], ...system.parts);
    if (diesAtEachStep) await dieAt(['publish'], 'service');
    if (diesAtEachStep) await dieAt(['merge'], 'service', 'storage');

    expect(await untilFinal(system.client, taskId)).toBe('TaskCompleted');
    expect((await run()).at(-1)).toMatchObject({ type: 'SagaEnded', data: { outcome: 'completed' } });
    await expectEachEffectOnce();
  });

  it('starts an agent again only where it was killed at work, and leaves none behind', async () => {
    expect(await workshop.starts()).toEqual({
      'generate-1-1': diesAtEachStep ? 2 : 1,
      'candidate-1.1': 2,
      'candidate-1.2': 1,
      'candidate-1.3': 2,
    });
    expect(await workshop.alive()).toEqual([]);
  });

  it('merged what the task says, and nothing else', async () => {
    const { result } = (await system.client.stream(`task-${taskId}`)).at(-1)?.data as { result: { commit: string } };
    expect(await workshop.git('rev-parse', 'main')).toBe(result.commit);
    expect(JSON.parse(await workshop.git('show', 'main:work.json'))).toMatchObject({ by: 'candidate-1.3', cost: 97 });
  });

  it('undoes a failing run in reverse order of what succeeded, though every process dies on the way back', async () => {
    await workshop.breakWork();
    await workshop.hold('unpublish');
    // Evolution would send it back before anything is published.
    await create('Break it', 'plain');

    await dieAt(['unpublish'], ...system.parts);

    expect(await untilFinal(system.client, taskId)).toBe('TaskFailed');
    const events = await run();
    expect(lastOfEach(stepsThat(['succeeded'], events))).toEqual(
      ['prepare', 'generate', 'publish'].map((step) => `${step} succeeded`),
    );
    expect(stepsThat(['compensating', 'compensated'], events)).toEqual(
      ['validate', 'publish', 'prepare'].flatMap((step) => [`${step} compensating`, `${step} compensated`]),
    );
    await expectEachEffectOnce();
    expect(await workshop.git('branch', '--list', `workledger/${taskId}`)).toBe('');
    expect(await workshop.alive()).toEqual([]);
  });

  it('frees the agent in the end', async () => {
    const told = async (wanted: string): Promise<number> =>
      (await system.client.log()).filter(({ stream, type }) => stream.startsWith('agent-') && type === wanted).length;
    // It is freed because the task has ended, and that is after.
    await until('the agent to be free', async () => (await told('AgentReleased')) >= 2);
    expect(await told('AgentReserved')).toBe(2);
    expect(await told('AgentReleased')).toBe(2);
  });
});

const stepsThat = (states: readonly string[], events: readonly SagaRecord[]): string[] =>
  events.flatMap((event) =>
    event.type === 'SagaStepChanged' && states.includes(event.data.state)
      ? [`${event.data.step} ${event.data.state}`]
      : [],
  );

const lastOfEach = (steps: readonly string[]): string[] =>
  steps.filter((step, index) => steps.lastIndexOf(step) === index);
