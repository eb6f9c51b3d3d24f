import type { CheckResult, Finding } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { describe, expect, test } from 'vitest';
import { createGithubWorld, pullOf } from './testing.ts';

const REVIEWS = /\/pulls\/\d+\/reviews$/;
const patch = '@@ -1,3 +1,4 @@\n export {};\n+var a = 1;\n+eval(a);\n context\n@@ -20 +21,2 @@\n+last\n+line';

const found = (change: Partial<Finding> = {}): Finding => ({
  ...{ severity: 'high', rule: 'no-var', message: 'Unexpected var, says @ada.', path: 'src/a.js', line: 2 },
  ...{ fingerprint: 'f1', isNew: true },
  ...change,
});

async function world(as: 'token' | 'app' = 'token') {
  const made = await createGithubWorld({ as });
  const { repository, call, artefacts } = made;
  const push = (words: string): string => {
    const commit = commitOf(words);
    repository.branches.set('workledger/1', commit);
    return commit;
  };
  push('first');
  const { number } = await call('github.pull-request', pullOf());
  repository.files.set(number, [{ filename: 'src/a.js', patch }, { filename: 'logo.png' }]);
  const checkOf = async (findings: readonly Finding[], change: Partial<CheckResult> = {}): Promise<CheckResult> => ({
    ...{ name: 'lint', verdict: 'failed', reason: '1 finding', counts: null, newFindings: null, exitCode: 1 },
    ...{ durationMs: 1, report: null },
    findings: await artefacts.put(Buffer.from(JSON.stringify(findings)), 'application/json'),
    ...change,
  });
  const tell = (commit: string, ...checks: CheckResult[]) =>
    call('github.findings', { commit, number, under: 'workledger', checks });
  const notes = () => repository.notes.get(number) ?? [];
  const reviews = () => repository.reviews.get(number) ?? [];
  return { ...made, number, push, checkOf, tell, notes, reviews, first: commitOf('first') };
}

describe('what checks complain about', () => {
  test('is one review: on lines of the diff, the rest in its words; nobody is called', async () => {
    const { tell, checkOf, first, notes, reviews } = await world();
    const findings = [
      found(),
      found({ fingerprint: 'f2', line: 9, message: 'elsewhere' }),
      found({ fingerprint: 'f3', path: null, line: null, message: 'lodash is old' }),
      found({ fingerprint: 'f4', line: 3, isNew: false, message: 'old' }),
    ];
    expect(await tell(first, await checkOf(findings))).toEqual({ shown: 1, review: 'made', comments: 1 });
    expect(notes()).toMatchObject([
      { path: 'src/a.js', line: 2, side: 'RIGHT', body: expect.stringContaining('**lint**: high: Unexpected var') },
    ]);
    expect(String(notes()[0]?.['body'])).not.toContain('@ada');
    const [{ body } = { body: '' }] = reviews();
    expect(body.split('\n').slice(1)).toEqual([
      'The checks complain about 1 of the changed lines, and beside them:',
      '',
      '- `src/a.js:9`: **lint**: high: elsewhere [no-var]',
      '- **lint**: high: lodash is old [no-var]',
    ]);
  });

  test('is not said again: not after a restart, not on the next commit, not where its line moved', async () => {
    const { tell, checkOf, first, push, notes, reviews, restart, fake } = await world();
    const check = await checkOf([found()]);
    await tell(first, check);
    await restart();
    expect(await tell(first, check)).toEqual({ shown: 0, review: 'unchanged', comments: 0 });
    const second = push('second');
    const moved = await checkOf([found({ line: 3 }), found({ fingerprint: 'f9', line: 22, message: 'new' })]);
    expect(await tell(second, moved)).toMatchObject({ review: 'made', comments: 1 });
    expect(notes().map(({ line }) => line)).toEqual([2, 22]);
    const third = push('third');
    expect(await tell(third, moved)).toMatchObject({ review: 'none' });
    expect(reviews()).toHaveLength(2);
    expect(fake.count('POST', REVIEWS)).toBe(2);
  });

  test('beside the diff is not said again while it is the same', async () => {
    const { tell, checkOf, first, push, reviews } = await world();
    const check = await checkOf([found({ line: 9 })]);
    expect(await tell(first, check)).toMatchObject({ review: 'made', comments: 0 });
    expect(await tell(push('second'), check)).toMatchObject({ review: 'none' });
    const more = await checkOf([found({ line: 9 }), found({ line: 9, fingerprint: 'f5' })]);
    expect(await tell(push('third'), more)).toMatchObject({ review: 'made' });
    expect(reviews()).toHaveLength(2);
  });

  test('two that are alike are two', async () => {
    const { tell, checkOf, first, notes } = await world();
    expect(await tell(first, await checkOf([found(), found({ line: 3 })]))).toMatchObject({ comments: 2 });
    expect(new Set(notes().map(({ body }) => body)).size).toBe(2);
  });

  test.each(['drop-after', 'cut'] as const)('is said once where the answer is lost (%s)', async (kind) => {
    const { tell, checkOf, first, notes, fake } = await world();
    fake.fail('POST', REVIEWS, { kind });
    const check = await checkOf([found()]);
    expect(await tell(first, check)).toMatchObject({ review: 'made', comments: 1 });
    expect(await tell(first, check)).toMatchObject({ review: 'unchanged' });
    expect(notes()).toHaveLength(1);
    expect(fake.count('POST', REVIEWS)).toBe(1);
  });

  test('is said beside the lines where GitHub knows another diff', async () => {
    const { tell, checkOf, first, notes, reviews, fake } = await world();
    const answer = { status: 422, body: { message: 'Unprocessable Entity', errors: ['Line could not be resolved'] } };
    fake.fail('POST', REVIEWS, { kind: 'answer', answer });
    expect(await tell(first, await checkOf([found()]))).toMatchObject({ review: 'made', comments: 0 });
    expect(notes()).toEqual([]);
    expect(reviews()[0]?.body).toContain('- `src/a.js:2`: **lint**: high');
  });

  test('somebody who copied our mark said nothing for us', async () => {
    const { tell, checkOf, first, number, repository, notes } = await world();
    const check = await checkOf([found()]);
    await tell(first, check);
    const [note] = notes();
    repository.notes.set(number, [{ ...note, user: { login: 'mallory', id: 9 } }]);
    repository.reviews.set(number, []);
    expect(await tell(first, check)).toMatchObject({ review: 'made', comments: 1 });
  });

  test('is not said of checks that pass, also where they have findings', async () => {
    const { tell, checkOf, first, reviews } = await world();
    expect(await tell(first, await checkOf([found()], { verdict: 'passed' }))).toMatchObject({ review: 'none' });
    expect(reviews()).toEqual([]);
  });
});

describe('each check stands beside the commit under its own name', () => {
  const others: Partial<CheckResult> = { findings: null };

  test('as statuses of a token, told once', async () => {
    const { tell, checkOf, first, repository } = await world();
    const checks = [
      await checkOf([], { name: 'tests', verdict: 'passed', reason: 'exit code 0', ...others }),
      await checkOf([], { name: 'audit', verdict: 'unavailable', reason: 'no way there', ...others }),
      await checkOf([found()]),
    ];
    expect(await tell(first, ...checks)).toMatchObject({ shown: 3 });
    expect(await tell(first, ...checks)).toMatchObject({ shown: 0 });
    expect(repository.statuses.map(({ context, state, description }) => [context, state, description])).toEqual([
      ['workledger/tests', 'success', 'passed: exit code 0'],
      ['workledger/audit', 'success', 'unavailable: no way there'],
      ['workledger/lint', 'failure', 'failed: 1 finding'],
    ]);
  });

  test('as check runs of an app, with at most 50 annotations, made once', async () => {
    const { tell, checkOf, first, repository } = await world('app');
    const many = Array.from({ length: 70 }, (_, at) => found({ fingerprint: `f${at}`, line: at + 1 }));
    const check = await checkOf(many);
    await tell(first, check);
    await tell(first, check);
    expect(repository.checkRuns).toHaveLength(1);
    const [run] = repository.checkRuns;
    expect(run).toMatchObject({ name: 'workledger/lint', status: 'completed', conclusion: 'failure' });
    expect((run?.['output'] as { annotations: object[] }).annotations).toHaveLength(50);
  });
});
