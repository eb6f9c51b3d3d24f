import { describe, expect, it } from 'vitest';
import { A, B, C, claimed, D, evolve, plan, publish, type Run, turn, validated } from './testing.ts';

const goingOn = (from: 'evolve' | 'validate' | 'merge', runtime: 'command' | 'remote' = 'command'): Run => {
  const run = claimed(runtime, 'sample', { from, commit: B, base: A });
  run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: B, summary: null });
  return run;
};
const moved = { ...plan, base: C, evolve };

describe('a task that is retried', () => {
  it('from merge asks neither an agent nor a judge, and merges the judged commit as it is published', () => {
    const run = goingOn('merge');
    expect(run.requested('prepare/1/1/prepare')).toMatchObject({ request: { commit: B } });
    run.succeeds('prepare/1/1/prepare', moved);
    expect(run.open()).toEqual(['publish/1/1/publish']);
    run.succeeds('publish/1/1/publish', { branch: 'workledger/x', commit: D });
    turn(run);
    expect(run.open()).toEqual(['merge/1/1/merge']);
    expect(run.requested('merge/1/1/merge')).toMatchObject({ request: { commit: D, base: A } });
    run.fails('merge/1/1/merge', false, 'refused once more');
    run.succeeds('undo/merge/1/leave');
    expect(run.open()).toEqual(['undo/prepare/1/cleanup']);
  });

  it.each(['command', 'remote'] as const)('from validate has the commit judged again (%s)', (runtime) => {
    const run = goingOn('validate', runtime);
    run.succeeds('prepare/1/1/prepare', moved);
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: B, base: A } });
    publish(run);
    validated(run, 1, 'passed', runtime === 'command');
    expect(run.open()).toEqual(['merge/1/1/enter']);
  });

  it('from merge does not go back to an agent when others were faster: nobody holds the task', () => {
    const run = goingOn('merge');
    run.succeeds('prepare/1/1/prepare', moved);
    run.succeeds('publish/1/1/publish', { branch: 'workledger/x', commit: D });
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'base-moved', commit: D, base: C });
    run.succeeds('merge/1/1/rebase', { outcome: 'conflict', base: C, detail: 'both changed x' });
    run.succeeds('undo/merge/1/leave');
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.requested('end/1/fail')).toMatchObject({
      data: { failure: { reason: expect.stringMatching(/both changed x .*retry from generate/) } },
    });
  });

  it('from validate is not sent back to an agent: it fails, and says how to give it to one', () => {
    const run = goingOn('validate');
    run.succeeds('prepare/1/1/prepare', moved);
    publish(run);
    run.fails('validate/1/1/submit', false, 'illegal-transition');
    expect(run.requested('validate/1/1/request')).toMatchObject({
      data: { commit: B, base: A, sendBackAllowed: false },
    });
    validated(run, 1, 'failed', false);
    run.fails('undo/validate/1/cancel');
    run.succeeds('undo/publish/1/delete-branch');
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.requested('end/1/fail')).toMatchObject({
      data: { failure: { reason: expect.stringMatching(/^tests fail .*retry from generate/) } },
    });
  });

  it('from evolve begins to improve the commit', () => {
    const run = goingOn('evolve');
    run.succeeds('prepare/1/1/prepare', moved);
    expect(run.requested('evolve/1/1/judge-start')).toMatchObject({ request: { commit: B, base: A } });
    expect(run.open()).toEqual(['evolve/1/1/judge-start']);
  });
});
