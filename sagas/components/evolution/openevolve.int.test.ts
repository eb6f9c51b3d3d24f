import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { signal } from '@workledger/infra/testing/processes/processes.ts';
import type { ResultOf } from '../catalogue.ts';
import { describeWithSandbox } from '../sandbox/testing.ts';
import { createEvolutionWorld, doubling, type EvolutionWorld, findPackages, openEvolveOf } from './testing.ts';

const place = await findPackages();

type Result = ResultOf<'evolution.openevolve'>;

describe.skipIf(place === null)('a real OpenEvolve of ten iterations, killed twice on its way', () => {
  let world: EvolutionWorld;
  let result: Result;
  let killed = 0;
  let takenOver: () => void = () => undefined;
  const notes: string[] = [];

  beforeAll(async () => {
    const moved = new Promise<void>((resolve) => (takenOver = resolve));
    world = await createEvolutionWorld(place ?? '', (asked, number) => {
      // Between two checkpoints, while an answer is on its way.
      const pid = number === 6 ? openEvolveOf(world.dataFolder) : undefined;
      if (pid !== undefined) {
        signal(pid, 'SIGKILL');
        killed++;
      }
      if (number === 9) takenOver();
      return doubling(asked, number);
    });
    const one = world.components().find(({ name }) => name === 'evolution.openevolve');
    const perform = one?.perform as unknown as (request: object, context: object) => Promise<Result>;
    const request = { ...world.inRun, ...world.request() };
    const note = ({ text }: { text: string }): number => notes.push(text);
    const gone = new AbortController();
    const key = 'saga-1/evolve/1';
    const first = perform(request, { key, signal: gone.signal, note });
    first.catch(() => undefined);
    await Promise.race([moved, first]);
    // As after a kill of the whole process: its successor calls under the same key, and ends what is left.
    const second = perform(request, { key, signal: new AbortController().signal, note });
    result = await second;
    gone.abort();
  }, 180_000);
  afterAll(() => world?.dispose());

  it('ends with a better program as a commit on its parent, without marks', () => {
    const before = world.fileAt(world.base);
    const after = world.fileAt(result.commit);
    expect(Number(/^STRIDE = (\d+)$/m.exec(after)?.[1])).toBeGreaterThanOrEqual(4);
    expect(after.replace(/^STRIDE = \d+$/m, 'STRIDE = 1')).toBe(before);
    expect(git(world.bare, 'rev-parse', `${result.commit}^`)).toBe(world.base);
    expect(result).toMatchObject({ diffStat: { files: 1, insertions: 1, deletions: 1 }, exitCode: 0, metrics: null });
  });

  it('was killed, went on from a checkpoint, and pays for no request twice', () => {
    expect(killed).toBe(1);
    const keys = world.model.asked.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeGreaterThanOrEqual(10);
    // Killed twice, each time two iterations at most are done again.
    expect(keys.length).toBeLessThanOrEqual(18);
    const checkpoints = readdirSync(
      join(world.dataFolder, 'evolutions', `${world.inRun.runId}-candidate-1.1`, 'work/output/checkpoints'),
    );
    expect(checkpoints).toContain('checkpoint_10');
  });

  it('asks the model as it is configured, with its key, and tells what it cost', () => {
    const [asked] = world.model.asked;
    expect(asked?.authorization).toBe('Bearer sk-of-the-test-alone');
    expect(asked?.body.model).toBe('scripted-1');
    expect(asked?.body.messages[0]?.content).toContain('src/search.py');
    // 1,000 tokens in and 100 out: 1 cent each way.
    expect(result.costUsd).toBeCloseTo(0.02 * world.model.asked.length, 6);
  });

  it('tells how far it is, and keeps what it printed and its trace', async () => {
    expect(notes.some((text) => /^OpenEvolve: \d+ of 10 iterations, best steps \d+$/.test(text))).toBe(true);
    const output = await world.text(result.output.digest);
    expect(output).toMatch(/Resuming from checkpoint at iteration [3-9]\n/);
    expect(output).toContain('Iteration 10');
    expect(output).toMatch(/"child_metrics": \{"steps": \d+/);
    expect(await world.text(result.prompt.digest)).toContain('"max_iterations": 10');
    expect(JSON.stringify(result)).not.toContain('sk-of-the-test-alone');
  });

  it('judges programs by our tests, and tells OpenEvolve why one does not count', async () => {
    const trace = await world.text(result.output.digest);
    expect(trace).toMatch(/"child_metrics": \{"combined_score": 0\}.*"failure": "test: exit code 1/);
  });

  it('uses the packages that are there', () => {
    expect(readdirSync(join(world.dataFolder, 'tools/openevolve'))).toHaveLength(1);
  });

  it('leaves neither processes nor checkouts, and its folder goes with the run', async () => {
    expect(openEvolveOf(world.dataFolder)).toBeUndefined();
    expect(world.leftovers()).toEqual([]);
    await world.call('code.cleanup', {});
    expect(readdirSync(join(world.dataFolder, 'evolutions'))).toEqual([]);
  });
});

describe.skipIf(place === null)('OpenEvolve within its bounds', () => {
  it('goes on with the best it has when its money is spent, and ends when it is cancelled', async () => {
    const cancelled = new AbortController();
    const world = await createEvolutionWorld(place ?? '', (asked, number) => {
      if (number === 4) cancelled.abort(new Error('cancelled'));
      return doubling(asked, 1);
    });
    try {
      const request = world.request({}, { budgetUsd: 0.05 });
      const result = await world.call<Result>('evolution.openevolve', request);
      // 2 cents each: the third is over it, and the fourth is not asked.
      expect(world.model.asked).toHaveLength(3);
      expect(result.costUsd).toBeCloseTo(0.06, 6);
      expect(world.fileAt(result.commit)).not.toContain('STRIDE = 1\n');

      const output = await world.text(result.output.digest);
      expect(output).toContain('\nended: over its budget of $0.05: spent $0.06\nevolution_trace.jsonl\n');

      const other = { ...world.request(), label: 'candidate-2.1' };
      const ended = world.call<Result>('evolution.openevolve', other, cancelled.signal, 'another');
      await expect(ended).rejects.toMatchObject({ failure: { reason: 'stopped before its end' } });
      expect(openEvolveOf(world.dataFolder)).toBeUndefined();
      expect(world.leftovers()).toEqual([]);
    } finally {
      await world.dispose();
    }
  }, 60_000);
});

describeWithSandbox('OpenEvolve in the sandbox', () => {
  it.skipIf(place === null)(
    'reaches the model by our name alone, and leaves nothing',
    { timeout: 120_000 },
    async () => {
      const world = await createEvolutionWorld(place ?? '', (asked) => doubling(asked, 1), {
        sandbox: { hidden: [], api: null },
      });
      try {
        const result = await world.call<Result>('evolution.openevolve', world.request({ iterations: 2 }));
        expect(Number(/^STRIDE = (\d+)$/m.exec(world.fileAt(result.commit))?.[1])).toBeGreaterThan(1);
        expect(world.model.asked).toHaveLength(2);
        const output = await world.text(result.output.digest);
        expect(output).toMatch(/HTTP Request: POST http:\/\/workledger:\d+\/v1\/chat\/completions "HTTP\/1.1 200 OK"/);
        expect(openEvolveOf(world.dataFolder)).toBeUndefined();
        expect(world.leftovers()).toEqual([]);
      } finally {
        await world.dispose();
      }
    },
  );
});
