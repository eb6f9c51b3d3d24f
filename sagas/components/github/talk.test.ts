import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { describe, expect, test } from 'vitest';
import { createGithubWorld } from './testing.ts';

const COMMENTS = /^\/repos\/acme\/sample\/issues\/5\/comments/;
const commit = commitOf('work');

describe('a comment', () => {
  const asked = { number: 5, about: 'progress', text: 'Working on it.' };

  test.each(['token', 'app'] as const)('is written once, and told anew in its place (as %s)', async (as) => {
    const { call, repository, fake, restart } = await createGithubWorld({ as });
    const written = await call('github.comment', asked);
    expect(written).toMatchObject({ outcome: 'written', url: expect.stringContaining('/issues/5#issuecomment-') });
    await restart();
    expect(await call('github.comment', asked)).toMatchObject({ outcome: 'unchanged', id: written.id });
    expect(await call('github.comment', { ...asked, text: 'Done.' })).toMatchObject({
      outcome: 'updated',
      id: written.id,
    });
    expect(await call('github.comment', { ...asked, about: 'question' })).toMatchObject({ outcome: 'written' });
    expect(repository.comments.map(({ body }) => body.split('\n')[1])).toEqual(['Done.', 'Working on it.']);
    expect(fake.count('POST', COMMENTS)).toBe(2);
  });

  test('whose answer was lost is found, and not written twice', async () => {
    const { call, fake, repository } = await createGithubWorld();
    fake.fail('POST', COMMENTS, { kind: 'drop-after' });
    expect(await call('github.comment', asked)).toMatchObject({ outcome: 'written' });
    expect(repository.comments).toHaveLength(1);
  });

  test('of somebody who copied our mark is not ours', async () => {
    const { call, repository } = await createGithubWorld();
    await call('github.comment', asked);
    const [ours] = repository.comments;
    repository.comments.splice(0, 1, { ...ours!, login: 'mallory' });
    expect(await call('github.comment', { ...asked, text: 'Done.' })).toMatchObject({ outcome: 'written' });
    expect(repository.comments.map(({ login }) => login)).toEqual(['mallory', 'workledger-bot']);
  });

  test('that somebody deleted while it was looked at is written anew', async () => {
    const { call, fake, repository } = await createGithubWorld();
    await call('github.comment', asked);
    const gone = { kind: 'answer', answer: { status: 404, body: { message: 'Not Found' } } } as const;
    fake.fail('PATCH', /comments/, gone);
    expect(await call('github.comment', { ...asked, text: 'Done.' })).toMatchObject({ outcome: 'written' });
    expect(repository.comments).toHaveLength(2);
  });

  test('is found behind many others', async () => {
    const { call, fake, repository } = await createGithubWorld();
    fake.settings.mostPerPage = 2;
    for (let id = 1; id < 6; id++) repository.comments.push({ id, number: 5, body: 'hello', login: 'ada' });
    const { id } = await call('github.comment', asked);
    expect(await call('github.comment', asked)).toMatchObject({ outcome: 'unchanged', id });
  });
});

test('labels are added and taken away where they differ, and nothing is asked where they do not', async () => {
  const { call, fake, repository } = await createGithubWorld();
  repository.labels.set(5, ['Bug', 'waiting']);
  const asked = { number: 5, add: ['bug', 'in work'], remove: ['waiting', 'absent'] };
  expect(await call('github.labels', asked)).toEqual({ added: ['in work'], removed: ['waiting'] });
  expect(repository.labels.get(5)).toEqual(['Bug', 'in work']);
  expect(await call('github.labels', asked)).toEqual({ added: [], removed: [] });
  expect(fake.calls.filter(({ method }) => method !== 'GET')).toHaveLength(2);
  repository.labels.set(5, ['waiting']);
  const gone = { kind: 'answer', answer: { status: 404, body: { message: 'Label does not exist' } } } as const;
  fake.fail('DELETE', /labels/, gone);
  expect(await call('github.labels', { number: 5, add: [], remove: ['waiting'] })).toEqual({
    added: [],
    removed: ['waiting'],
  });
});

describe('a check', () => {
  const asked = {
    ...{ commit, name: 'Workledger', externalId: 'validation-1', state: 'in_progress' as const },
    ...{ title: 'Tests are running', summary: '', link: null },
  };

  test('of an app is a check run: made once, told anew in its place', async () => {
    const { call, fake, repository, restart } = await createGithubWorld({ as: 'app' });
    fake.fail('POST', /check-runs$/, { kind: 'drop-after' });
    expect(await call('github.check', asked)).toEqual({ outcome: 'made', as: 'check-run' });
    await restart();
    expect(await call('github.check', asked)).toEqual({ outcome: 'unchanged', as: 'check-run' });
    const over = { ...asked, state: 'failure' as const, title: 'Tests fail', summary: 'One of them.' };
    expect(await call('github.check', over)).toEqual({ outcome: 'updated', as: 'check-run' });
    expect(repository.checkRuns).toHaveLength(1);
    expect(repository.checkRuns[0]).toMatchObject({
      ...{ name: 'Workledger', head_sha: commit, external_id: 'validation-1', status: 'completed' },
      ...{ conclusion: 'failure', output: { title: 'Tests fail', summary: 'One of them.' } },
    });
    expect(await call('github.check', { ...asked, externalId: 'validation-2' })).toMatchObject({ outcome: 'made' });
  });

  test('of a token is a commit status: only apps may make check runs', async () => {
    const { call, fake, repository } = await createGithubWorld();
    expect(await call('github.check', asked)).toEqual({ outcome: 'made', as: 'status' });
    expect(await call('github.check', asked)).toEqual({ outcome: 'unchanged', as: 'status' });
    expect(await call('github.check', { ...asked, state: 'success' })).toEqual({ outcome: 'updated', as: 'status' });
    expect(repository.statuses.map(({ state }) => state)).toEqual(['pending', 'success']);
    expect(fake.count('POST', /check-runs/)).toBe(0);
  });
});

describe('what others say', () => {
  test('of a commit is the sum of its checks and statuses, but for our own', async () => {
    const { call, repository } = await createGithubWorld();
    const state = async () => (await call('github.checks', { commit, except: ['Workledger'] })).state;
    repository.statuses.push({ sha: commit, context: 'Workledger', state: 'failure' });
    expect(await state()).toBe('none');
    const run = {
      id: 1,
      appId: '9',
      name: 'build',
      head_sha: commit,
      status: 'in_progress',
      conclusion: null as string | null,
    };
    repository.checkRuns.push(run);
    repository.statuses.push({ sha: commit, context: 'ci/old', state: 'success' });
    expect(await state()).toBe('pending');
    Object.assign(run, { status: 'completed', conclusion: 'skipped' });
    expect(await state()).toBe('passed');
    Object.assign(run, { conclusion: 'timed_out' });
    expect(await call('github.checks', { commit, except: ['Workledger'] })).toEqual({
      state: 'failed',
      checks: [
        { name: 'build', state: 'failed', conclusion: 'timed_out', url: null },
        { name: 'ci/old', state: 'passed', conclusion: 'success', url: null },
      ],
    });
  });

  test('of a pull request is the last word of each, and a mere comment is none', async () => {
    const { call, repository } = await createGithubWorld();
    repository.branches.set('work', commit);
    repository.pulls.push({
      ...{ number: 1, title: '', body: '', state: 'open', draft: false, merged_at: null },
      ...{ merge_commit_sha: null, head: 'work', sha: commit, base: 'main' },
    });
    const say = (...said: [number, string][]) =>
      repository.reviews.set(
        1,
        said.map(([user, state], id) => ({ id, user, state, body: 'secret words' })),
      );
    const state = async () => call('github.reviews', { number: 1 });
    expect(await state()).toEqual({ state: 'none', approvals: 0, changesRequested: [] });
    say([1, 'APPROVED'], [1, 'COMMENTED'], [2, 'CHANGES_REQUESTED']);
    expect(await state()).toEqual({ state: 'changes-requested', approvals: 1, changesRequested: [2] });
    say([1, 'APPROVED'], [2, 'CHANGES_REQUESTED'], [2, 'APPROVED']);
    expect(await state()).toEqual({ state: 'approved', approvals: 2, changesRequested: [] });
    say([1, 'APPROVED'], [1, 'DISMISSED']);
    expect(await state()).toEqual({ state: 'none', approvals: 0, changesRequested: [] });
  });
});
