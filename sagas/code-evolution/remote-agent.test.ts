import { describe, expect, it } from 'vitest';
import { B, C, claimed, diffStat, plan, publish, reference, validated } from './testing.ts';

describe('a claimed task of a remote agent', () => {
  it('waits for its commit, then publishes and validates it', () => {
    const run = claimed('remote');
    run.succeeds('prepare/1/1/prepare', plan);
    expect(run.open()).toEqual([]);
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: B, summary: null });
    run.succeeds('await-work/1/1/inspect', { diffStat, diff: reference });
    publish(run);
    expect(run.open()).toEqual(['validate/1/1/request']);
    validated(run, 1, 'back-to-work', false);
    run.succeeds('validate/1/1/send-back');
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: C, summary: null });
    expect(run.requested('await-work/2/1/inspect')).toMatchObject({ request: { commit: C } });
  });

  it('is told when it submitted no commit for a change of code, and fails the second time', () => {
    const run = claimed('remote');
    run.succeeds('prepare/1/1/prepare', plan);
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: null, summary: null });
    run.succeeds('await-work/1/1/send-back');
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: null, summary: null });
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.requested('end/1/fail')).toMatchObject({ data: { failure: { step: 'await-work' } } });
  });

  it('gets a commit back that is not in the origin, and still has its one try after failed tests', () => {
    const run = claimed('remote');
    const submit = (commit: string) =>
      run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit, summary: null });
    run.succeeds('prepare/1/1/prepare', plan);
    submit(B);
    run.fails('await-work/1/1/inspect', false, 'push it first', null, { fault: 'work' });
    expect(run.requested('await-work/1/1/send-back')).toMatchObject({
      data: { reason: expect.stringContaining('push it') },
    });
    run.succeeds('await-work/1/1/send-back');
    submit(B);
    run.succeeds('await-work/2/1/inspect', { diffStat, diff: reference });
    publish(run);
    validated(run, 1, 'back-to-work', false);
    expect(run.open()).toEqual(['validate/1/1/send-back']);
  });

  it('without a repository is complete with what it submitted', () => {
    const run = claimed('remote', null);
    expect(run.open()).toEqual([]);
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: null, summary: 'done' });
    expect(run.requested('complete/1/1/complete')).toMatchObject({
      type: 'task.complete',
      data: { result: { commit: null } },
    });
  });
});
