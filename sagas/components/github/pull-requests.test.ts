import { newId } from '@workledger/shared/contexts/stream.ts';
import { createRandom, seeds } from '@workledger/infra/testing/events/random.ts';
import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { describe, expect, test } from 'vitest';
import { createGithubWorld, POST_PULL, pullOf } from './testing.ts';

const BRANCH = 'workledger/1';

async function worldWithBranch(options: Parameters<typeof createGithubWorld>[0] = {}) {
  const world = await createGithubWorld(options);
  world.repository.branches.set(BRANCH, commitOf('work'));
  return world;
}

describe('a pull request', () => {
  test("is opened with the task's words, what was measured and what it cost; its words call nobody", async () => {
    const { call, repository, run, fake } = await worldWithBranch();
    const facts = {
      metricsBefore: { milliseconds: 12 },
      metrics: { milliseconds: 3 },
      costUsd: 0.425,
      tests: 'passed' as const,
      change: { files: 3, insertions: 10, deletions: 2, paths: ['src/@ada`.js', 'src/a\nb.js'] },
    };
    const opened = await call('github.pull-request', pullOf({ ...facts, issue: 5 }));
    expect(opened).toEqual({ outcome: 'opened', number: 1, url: expect.stringMatching(/\/acme\/sample\/pull\/1$/) });
    const [pull] = repository.pulls;
    expect(pull).toMatchObject({ title: 'Fix add', head: BRANCH, base: 'main', draft: false });
    expect(pull!.body).toContain('It subtracts, says @\u200bada in #\u200b12.');
    expect(pull!.body).toContain('3 files changed, +10 −2: `src/@\u200bada .js`, `src/a b.js`, 1 more\n');
    expect(pull!.body).toContain('| milliseconds | 12 | 3 |');
    expect(pull!.body).toContain(`Tests: passed · Cost: $0.42 · Task: \`${run.taskId}\` · Closes #5`);
    expect(fake.count('POST', POST_PULL)).toBe(1);
  });

  test('asked for again is the same one, also by a process that knows nothing', async () => {
    const { call, fake, restart } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    await restart();
    expect(await call('github.pull-request', pullOf())).toMatchObject({ outcome: 'unchanged', number: 1 });
    expect(fake.count('POST', POST_PULL)).toBe(1);
    expect(fake.count('PATCH', /./)).toBe(0);
  });

  test('is told anew in its place: its title and the words around are left to people', async () => {
    const { call, repository } = await worldWithBranch();
    await call('github.pull-request', pullOf({ tests: 'running' }));
    const [pull] = repository.pulls;
    Object.assign(pull!, { title: 'A better title', body: `Look here first.\r\n\r\n${pull!.body}\r\n\r\nThanks!` });
    expect(await call('github.pull-request', pullOf({ tests: 'passed' }))).toMatchObject({ outcome: 'updated' });
    expect(pull!.title).toBe('A better title');
    expect(pull!.body).toMatch(/^Look here first\.[\s\S]*Tests: passed[\s\S]*Thanks!$/);
    expect(pull!.body).not.toContain('Tests: running');
    expect(await call('github.pull-request', pullOf({ tests: 'passed' }))).toMatchObject({ outcome: 'unchanged' });
  });

  test('whose answer was lost is found, and not opened twice', async () => {
    const { call, fake, repository } = await worldWithBranch();
    fake.fail('POST', POST_PULL, { kind: 'drop-after' });
    expect(await call('github.pull-request', pullOf())).toMatchObject({ outcome: 'opened', number: 1 });
    expect(repository.pulls).toHaveLength(1);
    expect(fake.count('POST', POST_PULL)).toBe(1);
  });

  test('that was not opened, and nobody can tell, is left to the next attempt, which looks first', async () => {
    const { call, fake, repository } = await worldWithBranch();
    fake.fail('POST', POST_PULL, { kind: 'drop' });
    const failed = call('github.pull-request', pullOf());
    await expect(failed).rejects.toMatchObject({ retryable: true, fault: 'origin' });
    expect(await call('github.pull-request', pullOf())).toMatchObject({ outcome: 'opened' });
    expect(repository.pulls).toHaveLength(1);
  });

  test('that somebody else opened meanwhile is taken for it', async () => {
    const { call, fake, repository } = await worldWithBranch();
    const none = { kind: 'answer', answer: { status: 200, body: [] } } as const;
    await call('github.pull-request', pullOf());
    repository.pulls[0]!.body = 'I was faster.';
    fake.fail('GET', POST_PULL, none);
    expect(await call('github.pull-request', pullOf())).toMatchObject({ number: 1 });
    expect(repository.pulls).toHaveLength(1);
    expect(repository.pulls[0]!.body).toMatch(/^I was faster\.\n\n<!-- workledger:begin/);
  });

  test('that a person closed is not opened again by the same run; a later run opens its own', async () => {
    const { call, repository } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    repository.pulls[0]!.state = 'closed';
    expect(await call('github.pull-request', pullOf())).toMatchObject({ outcome: 'closed', number: 1 });
    expect(await call('github.pull-request', pullOf(), { runId: newId() })).toMatchObject({
      outcome: 'opened',
      number: 2,
    });
  });

  test('that was merged is told as merged', async () => {
    const { call } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    const merge = { number: 1, commit: commitOf('work'), method: 'merge' } as const;
    await call('github.merge', merge);
    expect(await call('github.pull-request', pullOf())).toMatchObject({ outcome: 'merged', number: 1 });
  });

  test('is found among many, page by page, and below another prefix of the address', async () => {
    const { call, fake, repository } = await worldWithBranch({ prefix: '/api/v3' });
    fake.settings.mostPerPage = 2;
    await call('github.pull-request', pullOf());
    for (const number of [2, 3, 4, 5, 6, 7])
      repository.pulls.push({ ...repository.pulls[0]!, number, state: 'closed', body: 'of an earlier run' });
    expect(await call('github.pull-request', pullOf())).toMatchObject({ outcome: 'unchanged', number: 1 });
  });

  test('of a branch that is not there yet is tried again; of one that changes nothing it is not', async () => {
    const { call, repository } = await createGithubWorld();
    await expect(call('github.pull-request', pullOf())).rejects.toMatchObject({
      ...{ retryable: true, fault: 'origin', message: expect.stringContaining('does not see branch') },
    });
    repository.branches.set(BRANCH, repository.branches.get('main')!);
    await expect(call('github.pull-request', pullOf())).rejects.toMatchObject({
      ...{ retryable: false, fault: 'work', message: expect.stringContaining('No commits between') },
    });
  });

  test.each(seeds(5))(
    'whatever happens is open once at most, and opened by one request a run (seed %s)',
    async (seed) => {
      const { call, fake, repository, restart } = await worldWithBranch({ github: { restMs: 1 } });
      const random = createRandom(seed);
      let runId = newId();
      let openedBefore = 0;
      for (let step = 0; step < 40; step++) {
        const what = random.pick(['ask', 'ask', 'ask', 'lose', 'lose-look', 'close', 'restart', 'run'] as const);
        if (what === 'lose')
          fake.fail('POST', POST_PULL, random.chance(0.5) ? { kind: 'drop-after' } : { kind: 'page', status: 502 });
        if (what === 'lose-look') fake.fail('GET', POST_PULL, { kind: 'drop' });
        if (what === 'close') for (const pull of repository.pulls) pull.state = 'closed';
        if (what === 'restart') await restart();
        if (what === 'run') [runId, openedBefore] = [newId(), fake.count('POST', POST_PULL)];
        if (what === 'ask')
          await call('github.pull-request', pullOf({ costUsd: random.below(3) }), { runId }).catch(() => null);
        expect(repository.pulls.filter(({ state }) => state === 'open').length).toBeLessThan(2);
        expect(fake.count('POST', POST_PULL) - openedBefore).toBeLessThan(2);
      }
    },
  );
});

describe('closing', () => {
  test('closes what is open, and leaves alone what is not', async () => {
    const { call, repository, fake } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    expect(await call('github.close', { number: 1 })).toMatchObject({ outcome: 'closed' });
    expect(await call('github.close', { number: 1 })).toMatchObject({ outcome: 'closed-before' });
    expect(await call('github.close', { number: 9 })).toMatchObject({ outcome: 'absent' });
    Object.assign(repository.pulls[0]!, { merged_at: '2026-01-01T00:00:00Z', merge_commit_sha: 'c'.repeat(40) });
    expect(await call('github.close', { number: 1 })).toMatchObject({ outcome: 'merged', mergeCommit: 'c'.repeat(40) });
    expect(fake.count('PATCH', /./)).toBe(1);
  });

  test('finds by its branch what this run opened, where nobody knows its number', async () => {
    const { call } = await worldWithBranch();
    const close = { number: null, branch: BRANCH };
    expect(await call('github.close', close)).toEqual({ outcome: 'absent', number: null });
    await call('github.pull-request', pullOf());
    expect(await call('github.close', close, { runId: newId() })).toMatchObject({ outcome: 'absent' });
    expect(await call('github.close', close)).toEqual({ outcome: 'closed', number: 1 });
  });

  test('whose answer was lost is not asked for twice more than is safe', async () => {
    const { call, fake } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    fake.fail('PATCH', /./, { kind: 'drop-after' });
    expect(await call('github.close', { number: 1 })).toMatchObject({ outcome: 'closed' });
  });

  test('deletes the branch where it is as it was', async () => {
    const { call, repository } = await worldWithBranch();
    const commit = commitOf('work');
    repository.branches.set(BRANCH, commitOf('more'));
    expect(await call('github.delete-branch', { branch: BRANCH, commit })).toEqual({ outcome: 'kept' });
    repository.branches.set(BRANCH, commit);
    expect(await call('github.delete-branch', { branch: BRANCH, commit })).toEqual({ outcome: 'deleted' });
    expect(await call('github.delete-branch', { branch: BRANCH, commit })).toEqual({ outcome: 'absent' });
    expect([...repository.branches.keys()]).toEqual(['main']);
  });
});

describe('merging', () => {
  const commit = commitOf('work');
  const asked = { number: 1, commit, method: 'squash' } as const;

  test('merges what was judged, once, also where the answer was lost', async () => {
    const { call, fake, repository, restart } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    fake.fail('PUT', /merge$/, { kind: 'drop-after' });
    const merged = { outcome: 'merged', commit: commitOf(`merge of ${commit}`), reason: null };
    expect(await call('github.merge', asked)).toEqual(merged);
    await restart();
    expect(await call('github.merge', asked)).toEqual(merged);
    expect(repository.branches.get('main')).toBe(merged.commit);
    expect(await call('github.pull-state', { number: 1 })).toMatchObject({
      state: 'merged',
      mergeCommit: merged.commit,
    });
  });

  test('is not merged over a required check that is missing, under way or red, by a status or by a check run', async () => {
    const { call, repository } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    repository.requiredChecks.push('ci');
    const blocked = (words: string) => ({
      outcome: 'blocked',
      commit: null,
      reason: `Required status check "ci" is ${words}.`,
    });
    expect(await call('github.merge', asked)).toEqual(blocked('expected'));
    expect(await call('github.pull-state', { number: 1 })).toMatchObject({
      mergeableState: 'blocked',
      mergeable: true,
    });
    const run = { id: 5, appId: '9', name: 'ci', head_sha: commit };
    repository.checkRuns.push({ ...run, status: 'in_progress' });
    expect(await call('github.merge', asked)).toEqual(blocked('in progress'));
    repository.statuses.push({ sha: commit, context: 'ci', state: 'failure' });
    expect(await call('github.merge', asked)).toEqual(blocked('failing'));
    repository.statuses.pop();
    repository.checkRuns.push({ ...run, id: 6, status: 'completed', conclusion: 'success' });
    expect(await call('github.merge', asked)).toMatchObject({ outcome: 'merged' });
  });

  test('does not merge another head than was judged', async () => {
    const { call, repository } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    repository.branches.set(BRANCH, commitOf('more'));
    expect(await call('github.merge', asked)).toMatchObject({ outcome: 'head-moved', commit: commitOf('more') });
  });

  test('tells what keeps it from being merged, and that somebody closed it', async () => {
    const { call, repository } = await worldWithBranch();
    await call('github.pull-request', pullOf());
    repository.notMergeable = 'At least 1 approving review is required by reviewers with write access.';
    expect(await call('github.merge', asked)).toEqual({
      outcome: 'blocked',
      commit: null,
      reason: repository.notMergeable,
    });
    expect(await call('github.pull-state', { number: 1 })).toEqual({
      ...{ state: 'open', head: commit, base: 'main', draft: false },
      ...{ mergeable: false, mergeableState: 'blocked', mergeCommit: null },
    });
    repository.pulls[0]!.state = 'closed';
    expect(await call('github.merge', asked)).toMatchObject({ outcome: 'closed' });
  });
});
