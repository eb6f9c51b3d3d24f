import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitAsUser, git } from '@workledger/infra/testing/repository/git.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { ResultOf } from '../catalogue.ts';
import { createGenerationWorld } from '../generation/testing.ts';
import type { Codegen } from './codegen.ts';
import { startTestCodegen } from './testing.ts';

let fake: Awaited<ReturnType<typeof startTestCodegen>>['fake'];
let world: Awaited<ReturnType<typeof createGenerationWorld>>;
let codegen: Codegen;
beforeAll(async () => {
  ({ fake, codegen } = await startTestCodegen());
  const generate = { codegen: { repositoryId: 42, agentType: 'claude_code' } };
  world = await createGenerationWorld(() => ({ text: '' }), { codegen }, { generate });
});
afterAll(async () => {
  await world?.dispose();
  await fake?.close();
});

let label = '';
let number = 0;
beforeEach(() => {
  label = `generate-1-${++number}`;
  fake.does(() => ({}));
});
const call = <Result>(name: string, request: object): Promise<Result> =>
  world.call<Result>(name, request, undefined, `saga-1/${label}/${name}`);
const begin = (): Promise<ResultOf<'codegen.begin'>> =>
  call('codegen.begin', { label, parent: world.base, prompt: { purpose: 'generate', feedback: null, metrics: null } });
const wait = ({ run, begunAt, priceUsd }: ResultOf<'codegen.begin'>, timeoutSeconds = 30) =>
  call<ResultOf<'codegen.wait'>>('codegen.wait', { run, begunAt, priceUsd, timeoutSeconds });
const failureOf = async (action: Promise<unknown>): Promise<ComponentFailure> => {
  const error: unknown = await action.catch((reason: unknown) => reason);
  if (error instanceof ComponentFailure) return error;
  throw new Error('it did not fail', { cause: error });
};
const adopt = async (branch: string | null) => {
  label = `generate-1-${++number}`;
  const begun = await begin();
  const { output } = await wait(begun);
  const { prompt, priceUsd: costUsd } = begun;
  const request = { parent: world.base, label, branch, output, prompt, costUsd, durationMs: 5 };
  return call<ResultOf<'code.adopt'>>('code.adopt', request);
};

describe('a run of Codegen', () => {
  it('is begun once with what it is asked, waited for, and its branch is taken as one commit', async () => {
    commitAsUser(world.user, { 'src/add.mjs': 'export const add = (a, b) => a + b;\n' }, 'Mend it');
    git(world.user, 'push', '--quiet', 'origin', 'HEAD:codegen/mend');
    git(world.user, 'reset', '--quiet', '--hard', world.base);
    fake.does(() => ({ states: ['PENDING', 'active', 'EVALUATION', 'completed'], branch: 'codegen/mend' }));
    const begun = await begin();
    const over = await wait(begun);
    expect(over).toMatchObject({ status: 'COMPLETED', branch: 'codegen/mend' });
    const run = fake.runs.at(-1);
    expect(run?.body).toMatchObject({ repo_id: 42, agent_type: 'claude_code' });
    expect(run?.prompt).toContain('# Fix add');
    expect(run?.metadata).toEqual({ workledger: `${world.inRun.runId}/${label}` });
    const { prompt, priceUsd: costUsd } = begun;
    const request = { parent: world.base, label, branch: over.branch, output: over.output, prompt, costUsd };
    const result = await call<ResultOf<'code.adopt'>>('code.adopt', { ...request, durationMs: 5 });
    expect(git(world.bare, 'rev-parse', `${result.commit}^`)).toBe(world.base);
    expect(result).toMatchObject({ costUsd: 0.75, diffStat: { files: 1 } });
    await call('codegen.stop', { label, run: begun.run });
    expect(run).toMatchObject({ banned: true, pulls: [{ state: 'closed' }] });
  });

  it('is found again by its mark when nobody was told that it began, as after a kill', async () => {
    const before = fake.runs.length;
    fake.fail('begin', { kind: 'drop-after' });
    const first = await begin();
    const again = await begin();
    expect([again.run, fake.runs.length]).toEqual([first.run, before + 1]);
    expect(await call('codegen.stop', { label, run: null })).toMatchObject({ outcome: 'stopped' });
  });

  it.each(['ERROR', 'failed', 'STOPPED', 'MAX_ITERATIONS_REACHED', 'OUT_OF_TOKENS'])(
    'that ends with %s fails, and has been paid',
    async (state) => {
      fake.does(() => ({ states: ['RUNNING', state], result: 'I gave up.' }));
      const failed = await failureOf(wait(await begin()));
      expect(failed.failure.reason).toContain(`ended with ${state.toUpperCase()}`);
      expect(failed.failure.lastLines).toEqual(['I gave up.']);
      expect(failed).toMatchObject({ retryable: false, fault: 'work', costUsd: 0.75 });
    },
  );

  it('of a state that nobody knows goes on, no longer than it may take', async () => {
    fake.does(() => ({ states: ['THINKING_HARD'] }));
    const failed = await failureOf(wait(await begin(), 0.05));
    expect(failed.failure.reason).toContain('came to no end within 0.05 s');
    expect(failed.costUsd).toBe(0.75);
  });

  it('goes on although nobody can look at it for a while', async () => {
    const begun = await begin();
    fake.fail('look', { kind: 'answer', answer: { status: 502, body: {} } }, 4);
    fake.fail('look', { kind: 'answer', answer: { body: { nothing: 'of a run' } } }, 2);
    expect((await wait(begun)).status).toBe('COMPLETE');
  });

  it.each([
    [{ status: 402, body: { message: 'Run limit reached', status_code: 402 } }, 'its plan is used up'],
    [{ status: 403, body: { detail: 'Forbidden' } }, 'refuses the login (Forbidden)'],
    [{ status: 422, body: { detail: [{ loc: ['body', 'prompt'], msg: 'too long', type: 'x' }] } }, 'prompt: too long'],
  ])('is not begun where it answers %j, and costs nothing', async (answer, why) => {
    fake.fail('begin', { kind: 'answer', answer });
    const failed = await failureOf(begin());
    expect(failed.failure.reason).toContain(why);
    expect(failed).toMatchObject({ fault: 'work', costUsd: null });
  });

  it('waits for the limit of runs, by Retry-After where there is one', async () => {
    const before = fake.runs.length;
    const limited = { status: 429, headers: { 'Retry-After': '0' }, body: { message: 'slow', status_code: 429 } };
    fake.fail('begin', { kind: 'answer', answer: limited }, 2);
    await begin();
    expect(fake.runs.length).toBe(before + 1);
  });

  it('is taken by the patch in its words where it has no branch, and refused where that does not fit', async () => {
    const patch = (minus: string): string =>
      `Here:\n\`\`\`diff\n--- a/src/add.mjs\n+++ b/src/add.mjs\n@@ -1 +1 @@\n-${minus}\n+export const add = (a, b) => b + a;\n\`\`\`\n`;
    fake.does(() => ({ result: patch('export const add = (a, b) => a - b;') }));
    const { commit } = await adopt(null);
    expect(git(world.bare, 'show', `${commit}:src/add.mjs`)).toBe('export const add = (a, b) => b + a;');
    fake.does(() => ({ result: patch('something else') }));
    const failed = await failureOf(adopt(null));
    expect(failed.failure.reason).toContain('its patch does not apply');
    expect(failed.costUsd).toBe(0.75);
    fake.does(() => ({}));
    expect((await failureOf(adopt(null))).failure.reason).toContain('its words have no patch');
    expect((await failureOf(adopt('nowhere'))).failure.reason).toContain('no branch "nowhere"');
  });

  it('tells whether it is up', async () => {
    await codegen.check(new AbortController().signal);
    fake.fail('me', { kind: 'answer', answer: { status: 401, body: { detail: 'no' } } });
    await expect(codegen.check(new AbortController().signal)).rejects.toThrow('refuses the login');
  });
});
