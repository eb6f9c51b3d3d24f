import { describe, expect, it } from 'vitest';
import { A, B, C, claimed, generated, plan, publish, reference, validated } from './testing.ts';
import {
  url,
  mergedByUs,
  prepare,
  opened,
  waits,
  open,
  green,
  red,
  look,
  pauseOver,
  toItsEnd,
  again,
} from './testing/pulls.ts';

describe('a run whose work is merged by a pull request', () => {
  it('opens it once its branch is published, tells its task, and shows that the tests run', () => {
    const run = claimed();
    prepare(run);
    generated(run);
    publish(run);
    expect(run.open()).toEqual(['open-pull-request/1/1/open']);
    expect(run.requested('open-pull-request/1/1/open')).toMatchObject({
      component: 'github.pull-request',
      request: { branch: `workledger/${run.taskId}`, base: 'main', tests: 'running', costUsd: 0.5 },
    });
    run.succeeds('open-pull-request/1/1/open', { outcome: 'opened', number: 7, url });
    expect(run.requested('open-pull-request/1/1/note')).toMatchObject({
      ...{ type: 'task.note-pull-request', target: run.taskId },
      data: { claimId: run.claimId, number: 7, url },
    });
    run.succeeds('open-pull-request/1/1/note');
    expect(run.requested('open-pull-request/1/1/check')).toMatchObject({
      request: { commit: B, name: 'workledger', externalId: run.claimId, state: 'in_progress' },
    });
  });

  it('tells what its branch changes, as it was published last', () => {
    const change = { files: 1, insertions: 2, deletions: 0, paths: ['a.js'] };
    const run = claimed();
    prepare(run);
    generated(run);
    run.succeeds('publish/1/1/publish', { branch: 'workledger/x', commit: B, change });
    expect(run.requested('open-pull-request/1/1/open')).toMatchObject({ request: { change } });
    const older = claimed();
    prepare(older);
    generated(older);
    publish(older);
    expect(older.requested('open-pull-request/1/1/open')).not.toHaveProperty('request.change');
  });

  it('opens none where the registration says otherwise', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'passed');
    expect(run.open()).toEqual(['merge/1/1/enter']);
    expect(run.keys().filter((key) => /pull-request|await-merge/.test(key))).toEqual([]);
  });

  it('tells it how the tests came out, frees its agent, queues nowhere, and looks at it', () => {
    const run = waits();
    expect(run.requested('await-merge/1/1/tell')).toMatchObject({ request: { tests: 'passed' } });
    expect(run.requested('await-merge/1/1/check')).toMatchObject({ request: { commit: B, state: 'success' } });
    expect(run.requested('await-merge/1/1/free')).toMatchObject({ type: 'agent.release' });
    expect(run.keys().filter((key) => /^(merge|approve)\//.test(key))).toEqual([]);
    expect(run.open()).toEqual(['await-merge/1/1/look-1']);
  });

  it('goes on looking at growing intervals, also where looks fail', () => {
    const run = waits();
    look(run, 1, open);
    expect(run.requested('await-merge/1/1/pause-2')).toMatchObject({ kind: 'timer' });
    pauseOver(run, 2);
    run.fails('await-merge/1/1/look-2', true, 'GitHub is away', null, { fault: 'origin' });
    pauseOver(run, 3);
    expect(run.open()).toEqual(['await-merge/1/1/look-3']);
    expect(run.ended()).toBeNull();
  });

  it('looks at once when somebody tells of it, and once', () => {
    const run = waits();
    look(run, 1, open);
    run.receives('task', run.taskId, 'TaskPullRequestNoticed', { claimId: run.claimId });
    expect(run.open()).toContain('await-merge/1/1/look-2');
    look(run, 2, open);
    expect(run.open().filter((key) => key.includes('look-'))).toEqual([]);
  });

  it('is complete when a person merged it, with the commit that landed', () => {
    const run = waits();
    look(run, 1, { ...open, state: 'merged', mergeCommit: C });
    expect(run.state().facts).toMatchObject({ merged: true, landed: C, commit: B });
    run.succeeds('complete/1/1/diff', { diffStat: null });
    run.succeeds('complete/1/1/cleanup', { worktrees: 0 });
    expect(run.requested('complete/1/1/complete')).toMatchObject({ data: { result: { commit: C, merged: true } } });
    const ended = run.succeeds('complete/1/1/complete');
    expect(ended, 'the step tells what the task was told').toContainEqual(
      expect.objectContaining({
        type: 'SagaStepChanged',
        data: expect.objectContaining({ state: 'succeeded', detail: expect.objectContaining({ commit: C }) }),
      }),
    );
    expect(run.ended()).toBe('completed');
  });

  it('merges it itself where it may, once its checks are green', () => {
    const run = waits(mergedByUs);
    look(run, 1, open);
    pauseOver(run, 2);
    look(run, 2, green);
    expect(run.requested('await-merge/1/1/merge-2')).toMatchObject({
      ...{ component: 'github.merge', request: { number: 7, commit: B, method: 'squash' } },
    });
    run.succeeds('await-merge/1/1/merge-2', { outcome: 'blocked', commit: null, reason: 'a review is missing' });
    pauseOver(run, 3);
    look(run, 3, green);
    run.succeeds('await-merge/1/1/merge-3', { outcome: 'merged', commit: C, reason: null });
    expect(run.state().facts).toMatchObject({ merged: true, landed: C });
  });

  it('leaves a green one to a person where it may not merge, and one with commits of others', () => {
    const run = waits();
    look(run, 1, green);
    expect(run.open()).toEqual(['await-merge/1/1/pause-2']);
    const other = waits(mergedByUs);
    look(other, 1, { ...green, head: C });
    expect(other.open()).toEqual(['await-merge/1/1/pause-2']);
  });

  it('takes a commit without checks for green only after a while', () => {
    const run = waits(mergedByUs);
    const none = { ...open, checks: { state: 'none', failed: [] } };
    look(run, 1, none);
    pauseOver(run, 2);
    look(run, 2, none);
    pauseOver(run, 3);
    expect(run.keys().filter((key) => key.includes('/merge-'))).toEqual([]);
    look(run, 3, none);
    expect(run.open()).toContain('await-merge/1/1/merge-3');
  });
});

describe('work that others want changed on its pull request', () => {
  it('goes back with the report of failed checks, and is told anew in its place', () => {
    const run = waits();
    look(run, 1, red('one'));
    expect(run.requested('await-merge/1/1/send-back')).toMatchObject({
      data: { reason: 'checks of the pull request failed: "ci"', report: reference },
    });
    again(run, 2, C);
    expect(run.requested('open-pull-request/2/1/check')).toMatchObject({ request: { commit: C } });
    expect(run.state().facts).toMatchObject({ sentBack: 0, red: ['one'] });
    expect(run.open()).toEqual(['await-merge/2/1/look-1']);
  });

  it('does not go back for the same failure twice: a person is told, and the pull request stays open', () => {
    const run = waits();
    look(run, 1, red('one'));
    again(run, 2, C);
    look(run, 1, { ...red('one'), head: C }, 2);
    expect(run.requested('await-merge/2/1/give-up')).toMatchObject({
      component: 'github.comment',
      request: { number: 7, about: 'checks', text: expect.stringContaining('"ci"') },
    });
    run.succeeds('await-merge/2/1/give-up', { outcome: 'written', id: 1, url });
    pauseOver(run, 2, 2);
    look(run, 2, { ...red('one'), head: C }, 2);
    expect(run.open()).toEqual(['await-merge/2/1/pause-3']);
    expect(run.ended()).toBeNull();
  });

  it('goes back so often at most for other failures', () => {
    const run = waits();
    const commits = [B, C, A, C];
    for (const [at, signature] of ['one', 'two', 'three'].entries()) {
      look(run, 1, { ...red(signature), head: commits[at] }, at + 1);
      again(run, at + 2, commits[at + 1]!);
    }
    look(run, 1, { ...red('four'), head: C }, 4);
    expect(run.open()).toEqual(['await-merge/4/1/give-up']);
  });

  it('goes back with what a person says, and does not hear it twice', () => {
    const run = waits();
    look(run, 1, { ...green, wanted: { report: reference, heard: { comment: 11, review: 3 } } });
    expect(run.requested('await-merge/1/1/send-back')).toMatchObject({ data: { report: reference } });
    again(run, 2, C);
    expect(run.requested('await-merge/2/1/look-1')).toMatchObject({ request: { heard: { comment: 11, review: 3 } } });
  });
});

describe('a pull request that comes to nothing', () => {
  it('is closed with words when its task is cancelled', () => {
    const run = waits();
    look(run, 1, open);
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no longer wanted' });
    expect(run.requested('undo/open-pull-request/1/close')).toMatchObject({ request: { number: 7 } });
    run.succeeds('undo/open-pull-request/1/close', { outcome: 'closed', number: 7 });
    expect(run.requested('undo/open-pull-request/1/closed')).toMatchObject({
      request: { number: 7, text: expect.stringContaining('no longer wanted') },
    });
    toItsEnd(run);
    expect(run.ended()).toBe('cancelled');
  });

  it('is closed when its tests fail for good, and shows it', () => {
    const run = claimed('remote');
    prepare(run);
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: B, summary: null });
    run.succeeds('await-work/1/1/inspect', { diffStat: null });
    opened(run);
    validated(run, 1, 'failed', false);
    expect(run.requested('validate/1/1/check')).toMatchObject({ request: { commit: B, state: 'failure' } });
    run.succeeds('validate/1/1/check', { outcome: 'updated', as: 'status' });
    run.succeeds('undo/validate/1/cancel');
    run.succeeds('undo/open-pull-request/1/close', { outcome: 'closed', number: 7 });
    expect(run.requested('undo/open-pull-request/1/closed')).toMatchObject({
      request: { text: expect.stringContaining('tests fail') },
    });
    toItsEnd(run);
    expect(run.ended()).toBe('failed');
  });

  it('is looked for by its branch where it was being opened when the run ended', () => {
    const run = claimed();
    prepare(run);
    generated(run);
    publish(run);
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no longer wanted' });
    run.fails('open-pull-request/1/1/open', true, 'stopped');
    expect(run.requested('undo/open-pull-request/1/close')).toMatchObject({
      request: { number: null, branch: `workledger/${run.taskId}` },
    });
  });

  it('fails its task when a person closed it unmerged, who is told nothing more', () => {
    const run = waits();
    look(run, 1, { ...open, state: 'closed' });
    run.succeeds('undo/open-pull-request/1/close', { outcome: 'closed-before', number: 7 });
    expect(run.requested('undo/open-pull-request/1/closed')).toBeUndefined();
    toItsEnd(run);
    expect(run.ended()).toBe('failed');
    expect(run.requested('end/1/fail')).toMatchObject({
      data: { failure: { reason: 'pull request #7 was closed and not merged' } },
    });
  });

  it('is complete where somebody merged it before it could be closed', () => {
    const run = waits();
    look(run, 1, open);
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'issue #12 was closed' });
    run.succeeds('undo/open-pull-request/1/close', { outcome: 'merged', number: 7, mergeCommit: C });
    toItsEnd(run);
    expect(run.requested('undo/open-pull-request/1/closed')).toBeUndefined();
    expect(run.requested('end/1/complete')).toMatchObject({
      ...{ type: 'task.complete', data: { claimId: run.claimId, result: { merged: true, commit: C } } },
    });
    expect(run.ended()).toBe('completed');
  });

  it('is complete with what landed, where the look that saw it came after the stop', () => {
    const run = waits();
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no longer wanted' });
    look(run, 1, { ...open, state: 'merged', mergeCommit: C });
    toItsEnd(run);
    expect(run.requested('end/1/complete')).toMatchObject({ data: { result: { merged: true, commit: C } } });
    expect(run.ended()).toBe('completed');
  });

  it('says that it failed where it was merged under another claim', () => {
    const run = waits();
    look(run, 1, { ...open, state: 'closed' });
    run.succeeds('undo/open-pull-request/1/close', { outcome: 'merged', number: 7, mergeCommit: C });
    for (let step = 0; run.requested('end/1/complete') === undefined && step < 9; step++)
      for (const key of run.open()) run.succeeds(key);
    run.fails('end/1/complete', false, 'claim-mismatch: not yours');
    expect(run.requested('end/1/fail')).toMatchObject({ type: 'task.fail' });
  });

  it('stays where it was merged, though its task is cancelled in the same moment', () => {
    const run = waits();
    look(run, 1, { ...open, state: 'merged', mergeCommit: C });
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no longer wanted' });
    toItsEnd(run);
    expect(run.ended()).toBe('completed');
    expect(run.keys().filter((key) => key.startsWith('undo/'))).toEqual([]);
  });
});
