import { describe, expect, it } from 'vitest';
import { C, D, judgedOnTop, turn, type Run } from './testing.ts';
import { moved, ready } from './testing/merges.ts';

describe('a run that is cancelled while it is merged', () => {
  const cancelledWhileMerging = () => {
    const run = ready();
    turn(run);
    run.succeeds('merge/1/1/merge', moved(C));
    judgedOnTop(run, 1, { commit: D, base: C });
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'closed' });
    expect(run.open(), 'whatever it does there is waited for').toEqual([]);
    return run;
  };
  const isCompleted = (run: Run) => {
    expect(run.requested('undo/merge/1/leave')).toMatchObject({ data: { outcome: 'merged', reason: null } });
    for (const name of ['merge/1/leave', 'merge/1/cancel', 'prepare/1/cleanup']) run.succeeds(`undo/${name}`);
    expect(run.requested('end/1/diff')).toMatchObject({ request: { commit: D, base: C } });
    for (const name of ['diff', 'measure', 'cleanup']) run.succeeds(`end/1/${name}`, { diffStat: null, metrics: null });
    expect(run.requested('end/1/complete')).toMatchObject({
      ...{ type: 'task.complete', data: { claimId: run.claimId, result: { merged: true, commit: D } } },
    });
    run.succeeds('end/1/complete');
    expect(run.ended()).toBe('completed');
  };

  it('is complete where that was done all the same', () => {
    const run = cancelledWhileMerging();
    run.succeeds('merge/1/1/merge-2', { outcome: 'merged', commit: D, base: C });
    isCompleted(run);
  });
  it('looks whether it was done, where that was stopped', () => {
    const run = cancelledWhileMerging();
    run.fails('merge/1/1/merge-2', false, 'stopped');
    expect(run.requested('undo/merge/1/look')).toMatchObject({
      ...{ component: 'code.landed', request: { commit: D, base: C } },
    });
    run.succeeds('undo/merge/1/look', { outcome: 'merged', commit: D, base: C });
    isCompleted(run);
  });
  it('looks again while the origin is away', () => {
    const run = cancelledWhileMerging();
    run.fails('merge/1/1/merge-2', true, 'no answer');
    run.fails('undo/merge/1/look', true, 'away', null, { fault: 'origin' });
    run.succeeds('undo/merge/1/look-pause-1');
    run.succeeds('undo/merge/1/look-again-2', { outcome: 'merged', commit: D, base: C });
    isCompleted(run);
  });
  it('is cancelled where it was not', () => {
    const run = cancelledWhileMerging();
    run.fails('merge/1/1/merge-2', false, 'stopped');
    run.succeeds('undo/merge/1/look', { outcome: 'base-moved', commit: D, base: C });
    expect(run.requested('undo/merge/1/leave')).toMatchObject({ data: { outcome: 'left', reason: 'closed' } });
    for (const name of ['merge/1/leave', 'merge/1/cancel', 'prepare/1/cleanup']) run.succeeds(`undo/${name}`);
    expect([run.ended(), run.requested('end/1/complete')]).toEqual(['cancelled', undefined]);
  });
});
