import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import type { Scripted } from '@workledger/infra/testing/models/scripted-model.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { RequestOf, ResultOf } from '../catalogue.ts';
import { createGenerationWorld } from './testing.ts';

type Result = ResultOf<'generation.chat'>;

let world: Awaited<ReturnType<typeof createGenerationWorld>>;
let answer: Scripted = { text: '' };
beforeAll(async () => void (world = await createGenerationWorld(() => answer)));
afterAll(() => world?.dispose());

const MENDED = 'export const add = (a, b) => a + b;';
const file = (path: string, text: string): string => `@@@ FILE ${path}\n${text}\n@@@ END\n`;

let number = 0;
beforeEach(() => void number++);
const ask = (change: Partial<RequestOf<'generation.chat'>> = {}): Promise<Result> => {
  const label = `generate-${number}-1`;
  // Each test asks for something else: what was asked before is not asked again.
  const prompt = { purpose: 'generate' as const, feedback: null, metrics: null, earlier: [label] };
  const request = { model: 'fast', parent: world.base, label, prompt, ...change };
  return world.call<Result>('generation.chat', request, undefined, `saga-1/${label}`);
};
const failing = async (): Promise<ComponentFailure> => {
  const error: unknown = await ask().catch((reason: unknown) => reason);
  if (error instanceof ComponentFailure) return error;
  throw new Error('it did not fail', { cause: error });
};

describe('a model that is asked once for the code of a task', () => {
  it('is shown the files that matter, and what it answers is a commit in the origin, with its price', async () => {
    answer = { text: `I add.\n${file('src/add.mjs', MENDED)}${file('docs/add.md', '# Add')}` };
    const result = await ask();
    expect(git(world.bare, 'show', `${result.commit}:src/add.mjs`)).toBe(MENDED);
    expect(git(world.bare, 'show', `${result.commit}:docs/add.md`)).toBe('# Add');
    expect(git(world.bare, 'rev-parse', `${result.commit}^`)).toBe(world.base);
    expect(result).toMatchObject({ diffStat: { files: 2 }, costUsd: 0.02, exitCode: null, metrics: null });
    const asked = world.model.asked.at(-1)?.body as { temperature?: number; messages: readonly { content: string }[] };
    expect(asked.temperature).toBe(0.1);
    expect(asked.messages[1]?.content).toContain('@@@ FILE src/add.mjs\nexport const add = (a, b) => a - b;\n@@@ END');
    expect(await world.text(result.output.digest)).toContain(MENDED);
    expect(await world.text(result.prompt.digest)).toContain('# Fix add');
  });

  it('is not paid again when the same call comes again, as after a kill, and brings the same commit', async () => {
    answer = { text: file('src/add.mjs', MENDED) };
    const first = await ask();
    const paid = world.model.asked.length;
    answer = { text: 'something else' };
    const again = await ask();
    expect([again.commit, again.costUsd]).toEqual([first.commit, first.costUsd]);
    expect(world.model.asked).toHaveLength(paid);
  });

  it.each([
    ['I cannot do that.', 'its answer cannot be taken: it names no file'],
    [file('src/add.mjs', 'export const add = (a, b => a + b;'), 'src/add.mjs: it is no JavaScript from line 1 on'],
    [file('src/add.mjs', 'export const add = (a, b) => a - b;'), 'the model changed nothing'],
    ['@@@ DELETE nowhere.txt', 'nowhere.txt was not shown whole: it may not be changed'],
    [file('src', 'a folder'), 'src is there already'],
    [file('../outside', 'x'), 'is no plain path'],
  ])('fails with what it cost where its answer is %j', async (text, why) => {
    answer = { text };
    const failed = await failing();
    expect(failed.failure.reason).toContain(why);
    expect(failed).toMatchObject({ costUsd: 0.02, retryable: false, fault: 'work' });
    expect(failed.prompt).not.toBeNull();
    expect(failed.failure.log).not.toBeNull();
  });

  it('fails at once, as nobody of ours, where the model refuses or is broken', async () => {
    answer = { status: 500 };
    expect(await failing()).toMatchObject({ fault: 'work', retryable: false, costUsd: null });
    answer = { status: 401 };
    expect((await failing()).failure.reason).toContain('answers 401');
  });
});
