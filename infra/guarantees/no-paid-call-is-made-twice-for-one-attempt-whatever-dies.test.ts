import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { git } from '../testing/repository/git.ts';
import { passedBeside } from '../testing/github/git-branches.ts';
import type { AskedModel } from '../testing/models/scripted-model.ts';
import { untilTrue } from '../testing/processes/until.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { AGENT_USD, ANSWER_USD, createPaid, hasOpenEvolve, ITERATIONS } from '../testing/system/paid.ts';
import { diesOften, storageOf } from '../testing/system/storm.ts';
import { finalTask } from '../testing/system/tasks.ts';

type Effect = {
  readonly name: string;
  readonly agent?: { readonly turns: number | null; readonly tokens: object | null };
};
type Run = { readonly steps: readonly { readonly attempts: readonly { readonly effects: readonly Effect[] }[] }[] };
type Attempt = { readonly strategy: string; readonly state: string; readonly costUsd: number | null };

/** What an endpoint that knows its keys charges for: a request under one key once, which must be the same one. */
function charged(asked: readonly AskedModel[]): number {
  const byKey = new Map<string, string>();
  for (const { key = '', body } of asked) {
    const text = JSON.stringify(body);
    expect([key === '', byKey.get(key) ?? text]).toEqual([false, text]);
    byKey.set(key, text);
  }
  return byKey.size;
}

describe.skipIf(!hasOpenEvolve).each(engines)('no paid call is made twice for one attempt ($name)', (engine) => {
  let paid: Awaited<ReturnType<typeof createPaid>>;
  let system: RunningSystem;
  let taskId: string;
  const repository = () => paid.github.repository;

  beforeAll(async () => {
    paid = await createPaid();
    system = await engine.start(paid.settings, { storage: storageOf(engine.name) });
    paid.lend(system);
  });
  afterAll(async () => {
    await system?.dispose();
    await paid?.dispose();
  });
  async function die(...parts: readonly ('service' | 'storage')[]): Promise<void> {
    await system.kill9(...parts);
    await system.restart();
  }

  it('the next one takes over from an agent that fails, though every process dies as a model is asked', async () => {
    let answer = (): void => undefined;
    paid.holdWriter(new Promise<void>((resolve) => (answer = resolve)));
    taskId = await paid.ask(system);
    await untilTrue(() => Promise.resolve(paid.writer.asked.length === 1), 180);
    if (diesOften(engine.name)) await die('service');
    answer();
    await untilTrue(() => Promise.resolve(paid.evolver.asked.length > 0), 180);
    expect([paid.agentStarts(), charged(paid.writer.asked)]).toEqual([1, 1]);
    // Once more under its key, since it was on its way as all died; no more often.
    expect(paid.writer.asked.length).toBeLessThanOrEqual(2);
    const told = paid.writer.asked[0]?.body.messages.at(-1)?.content;
    for (const part of ['def find(values, wanted, probe)', '## What of the code may matter'])
      expect(told).toContain(part);
  });

  it('what OpenEvolve has asked is not asked again, though it dies between two checkpoints, and then everything', async () => {
    await untilTrue(() => Promise.resolve(paid.evolver.asked.length >= 5), 180);
    expect(await paid.killOpenEvolve(system)).toBeGreaterThan(0);
    const before = paid.evolver.asked.length;
    await untilTrue(() => Promise.resolve(paid.evolver.asked.length >= before + 2), 180);
    await die(...system.parts);
    await passedBeside(repository(), taskId, null, 240);
    const evolved = charged(paid.evolver.asked);
    expect(evolved).toBeGreaterThanOrEqual(ITERATIONS - 1);
    // From a checkpoint to the next there are two iterations: so many are done again for each death, in other words.
    expect(evolved).toBeLessThanOrEqual(ITERATIONS + 6);
    expect(paid.evolver.asked.length - evolved).toBeLessThanOrEqual(2);
  });

  it('is merged, and the task tells what each step took', async () => {
    const [pull, ...others] = repository().pulls;
    expect(others).toEqual([]);
    const head = repository().branches.get(`workledger/${taskId}`)!;
    expect(
      Number(/^STRIDE = (\d+)$/m.exec(git(paid.github.origin, 'show', `${head}:src/search.py`))?.[1]),
    ).toBeGreaterThan(1);
    expect(git(paid.github.origin, 'show', `${head}:NOTES.md`)).toBe('The search takes strides.');
    repository().statuses.push({ sha: head, context: 'ci', state: 'success' });
    expect(await paid.merge(pull!.number)).toBe(200);
    const task = await finalTask(system.client, taskId);
    expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
    const { generations, pipelines } = task as unknown as Record<
      'generations' | 'pipelines',
      readonly { id: string }[]
    >;
    const told = await system.client.find<{ attempts: readonly Attempt[] }>(`/generations/${generations[0]?.id}`, {});
    expect(told?.attempts).toMatchObject([
      { state: 'failed', costUsd: AGENT_USD },
      { strategy: 'chat:writer', state: 'succeeded', costUsd: ANSWER_USD },
    ]);
    const run = await system.client.find<Run>(`/pipelines/${pipelines[0]?.id}`, {});
    const effects = run?.steps.flatMap(({ attempts }) => attempts.flatMap((attempt) => attempt.effects)) ?? [];
    const took = (name: string): object =>
      effects.find((effect) => effect.name === name && effect.agent !== undefined)!;
    const evolved = charged(paid.evolver.asked);
    // What was on its way as all died was charged, and is asked again where it is still wanted.
    const { turns, tokens } = (took('evolution.openevolve') as Effect).agent!;
    expect(evolved - turns!).toBeLessThanOrEqual(2);
    expect(tokens).toEqual({ input: 1_000 * turns!, output: 100 * turns! });
    expect(took('code.work')).toMatchObject({ state: 'failed', costUsd: AGENT_USD, agent: { turns: 60 } });
    expect(took('generation.chat')).toMatchObject({
      ...{ state: 'succeeded', costUsd: ANSWER_USD, agent: { turns: 1, tokens: { input: 1_000, output: 100 } } },
    });
    expect(task.result).toMatchObject({
      costUsd: expect.closeTo(AGENT_USD + ANSWER_USD * (1 + turns!), 6) as number,
    });
  });
});
