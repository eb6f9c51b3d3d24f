import { describe, expect, it } from 'vitest';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import {
  A,
  B,
  C,
  D,
  claimed,
  generated,
  judgedOnTop,
  plan,
  publish,
  reference,
  released,
  turn,
  validated,
} from './testing.ts';
import { moved, ready } from './testing/merges.ts';
import type { Run } from './testing.ts';

const E = 'e'.repeat(40);

const conflict = { outcome: 'conflict', base: C, detail: 'conflict in x', report: reference };

describe('a run that is to be merged', () => {
  it('queues, and does nothing before its turn', () => {
    const run = ready();
    expect(run.requested('merge/1/1/enter')).toMatchObject({
      ...{ type: 'merge-queue.enter', target: derivedId('merge-queue', 'sample', 'main') },
      data: { taskId: run.taskId, runId: run.claimId, repository: 'sample', baseBranch: 'main' },
    });
    run.succeeds('merge/1/1/enter');
    expect(run.open()).toEqual([]);
    turn(run);
    expect(run.requested('merge/1/1/merge')).toMatchObject({ request: { commit: B, base: A } });
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: B, base: A });
    expect(run.requested('merge/1/1/leave')).toMatchObject({ data: { runId: run.claimId, outcome: 'merged' } });
    run.succeeds('merge/1/1/leave');
    expect(run.open()).toEqual(['complete/1/1/diff']);
  });

  it('puts its work onto the base as it is now, lets it be judged there and merges that, all in one turn', () => {
    const run = ready();
    turn(run);
    run.succeeds('merge/1/1/merge', moved(C));
    judgedOnTop(run, 1, { commit: D, base: C });
    expect(run.requested('merge/1/1/publish')).toMatchObject({ request: { commit: D, base: C } });
    expect(run.requested('merge/1/1/merge-2')).toMatchObject({ request: { commit: D, base: C } });
    run.succeeds('merge/1/1/merge-2', { outcome: 'merged', commit: D, base: C });
    run.succeeds('merge/1/1/leave');
    expect(run.state().facts).toMatchObject({ commit: D, base: C, merged: true, rebased: 1, sentBack: 0 });
  });

  it('however often the base moves again while it is judged, after growing pauses', () => {
    const run = ready();
    turn(run);
    run.succeeds('merge/1/1/merge', moved(C));
    for (let round = 1; round <= 12; round++) {
      judgedOnTop(run, round, { commit: D, base: C });
      if (round > 1) run.succeeds(`merge/1/1/pause-${round + 1}`);
      run.succeeds(`merge/1/1/merge-${round + 1}`, moved(E));
    }
    judgedOnTop(run, 13, { commit: D, base: E });
    const seconds = [3, 6, 9, 13].map((round) => {
      const effect = run.requested(`merge/1/1/pause-${round}`);
      return effect?.kind === 'timer' ? Date.parse(effect.dueAt) - Date.parse('2026-01-01T00:00:00Z') : null;
    });
    expect(seconds).toEqual([1_500, 12_000, 45_000, 45_000]);
    run.succeeds('merge/1/1/pause-14');
    run.succeeds('merge/1/1/merge-14', { outcome: 'merged', commit: D, base: E });
    run.succeeds('merge/1/1/leave');
    expect(run.state().facts).toMatchObject({ merged: true, rebased: 13 });
    expect(run.ended()).toBeNull();
  });

  it.each(['command', 'remote'] as const)(
    'gives its turn away where it conflicts, and goes back to its %s agent with the conflict, three times',
    (runtime) => {
      const run = ready(plan, runtime);
      const again = (round: number): void => {
        if (runtime === 'command') generated(run, round, D);
        else {
          run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: D });
          run.succeeds(`await-work/${round}/1/inspect`, {});
        }
        publish(run, round);
        validated(run, round, 'passed', runtime === 'command');
      };
      for (let round = 1; round <= 3; round++) {
        turn(run, round);
        run.succeeds(`merge/${round}/1/merge`, moved(C));
        run.succeeds(`merge/${round}/1/rebase`, conflict);
        expect(run.open()).toEqual([`merge/${round}/1/leave`]);
        run.succeeds(`merge/${round}/1/leave`);
        expect(run.requested(`merge/${round}/1/send-back`)).toMatchObject({
          data: {
            report: reference,
            reason: `the base moved to ${C} and the work conflicts with it: conflict in x`,
          },
        });
        run.succeeds(`merge/${round}/1/send-back`);
        expect(run.state().facts).toMatchObject({ base: C, commit: C, sentBack: 0, overtaken: round, turn: false });
        again(round + 1);
      }
      turn(run, 4);
      run.succeeds('merge/4/1/merge', moved(C));
      run.succeeds('merge/4/1/rebase', conflict);
      expect(run.open()).toEqual(['undo/merge/1/leave']);
    },
  );

  it('goes back with the failing tests and where it had passed, though it was sent back for tests before', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'back-to-work', true, B);
    run.succeeds('validate/1/1/send-back');
    generated(run, 2, E);
    publish(run, 2);
    validated(run, 2, 'passed');
    turn(run);
    run.succeeds('merge/1/1/merge', moved(C));
    judgedOnTop(run, 1, { commit: D, base: C }, true);
    expect(run.requested('merge/1/1/leave')).toMatchObject({ data: { outcome: 'sent-back' } });
    run.succeeds('merge/1/1/leave');
    run.succeeds('merge/1/1/send-back');
    run.succeeds('generate/3/1/request');
    run.succeeds('generate/3/1/start');
    expect(run.requested('generate/3/1/work')).toMatchObject({
      request: {
        ...{ parent: D, base: C },
        prompt: {
          feedback: {
            reason: `the work passed on ${A}, but not on ${C}, which others have merged to since: tests fail`,
            log: reference,
          },
        },
      },
    });
    expect(run.state().facts).toMatchObject({ sentBack: 1, overtaken: 1 });
  });

  it('leaves the queue when its task is cancelled, and has nothing judged any more', () => {
    const run = ready();
    turn(run);
    run.succeeds('merge/1/1/merge', moved(C));
    run.succeeds('merge/1/1/rebase', { outcome: 'rebased', commit: D, base: C });
    run.succeeds('merge/1/1/publish', { branch: 'workledger/x', commit: D });
    run.succeeds('merge/1/1/request');
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'enough' });
    run.fails('merge/1/1/validate', false, 'cancelled');
    expect(run.open()).toEqual(['undo/merge/1/leave', 'undo/merge/1/cancel']);
    expect(run.requested('undo/merge/1/leave')).toMatchObject({ data: { outcome: 'left', reason: 'enough' } });
    run.succeeds('undo/merge/1/leave');
    run.succeeds('undo/merge/1/cancel');
    // The branch stays: its work had passed its tests.
    expect(run.open()).toEqual(['undo/prepare/1/cleanup']);
  });

  it('queues again when a person took its turn, and goes on where it was', () => {
    const run = ready();
    turn(run);
    run.succeeds('merge/1/1/merge', moved(C));
    released(run);
    run.succeeds('merge/1/1/rebase', { outcome: 'rebased', commit: D, base: C });
    expect(run.open()).toEqual(['merge/1/1/enter-2']);
    turn(run, 1, '-2');
    expect(run.open()).toEqual(['merge/1/1/publish']);
  });

  it('that was merged when a person took its turn is merged', () => {
    const run = ready();
    turn(run);
    released(run);
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: B, base: A });
    expect(run.requested('merge/1/1/leave-2')).toMatchObject({ data: { outcome: 'merged' } });
    run.succeeds('merge/1/1/leave-2');
    expect(run.state().facts.merged).toBe(true);
  });

  it('tells the task the commit that landed, where that is another one than was judged', () => {
    const run = ready({ ...plan, merge: 'squash' });
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: E, base: A });
    run.succeeds('merge/1/1/leave');
    expect(run.requested('complete/1/1/diff')).toMatchObject({ request: { commit: E, base: A } });
  });
});

describe('a run that the version before had brought to its merge', () => {
  const { baseBranch: _, ...planOfBefore } = plan;
  /** Its plan told no branch, and it asked to merge without a turn. */
  function asked(): Run {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', planOfBefore);
    generated(run);
    publish(run);
    const { taskId, claimId: runId } = run;
    const at = (step: string) => ({ step, round: 1, attempt: 1 });
    run.wrote(
      { type: 'SagaStepChanged', data: { ...at('validate'), state: 'succeeded', detail: { learned: { commit: B } } } },
      { type: 'SagaStepChanged', data: { ...at('merge'), state: 'started', detail: {} } },
      {
        type: 'SagaEffectRequested',
        data: {
          effect: {
            ...{ kind: 'call', key: 'merge/1/1/merge', component: 'code.merge', timeoutSeconds: 300 },
            request: { taskId, runId, repository: 'sample', commit: B, base: A },
          },
        },
      },
    );
    return run;
  }

  it('is merged without a turn when it was so then', () => {
    const run = asked();
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: B, base: A });
    run.succeeds('merge/1/1/leave');
    expect(run.requested('merge/1/1/enter')).toBeUndefined();
    expect(run.requested('complete/1/1/diff')).toMatchObject({ request: { commit: B } });
  });

  it('queues before it goes on from a base that had moved', () => {
    const run = asked();
    run.succeeds('merge/1/1/merge', moved(C));
    expect(run.open()).toEqual(['validate/1/1/submit', 'merge/1/1/enter']);
    expect(run.requested('merge/1/1/enter')).toMatchObject({ data: { baseBranch: null } });
    run.succeeds('merge/1/1/enter');
    run.receives('merge-queue', derivedId('merge-queue', 'sample', ''), 'MergeTurnBegan', {
      ...{ taskId: run.taskId, runId: run.claimId },
    });
    expect(run.open()).toEqual(['validate/1/1/submit', 'merge/1/1/rebase']);
  });
});
