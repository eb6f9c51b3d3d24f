import { describe, expect, it } from 'vitest';
import { judgement, reference, released, testsFail, turnBegins, B, C, D, type Run } from './testing.ts';
import { begun, behind, green, look, mergedByUs, open, pauseOver, red, toItsEnd, waits } from './testing/pulls.ts';

const at = (what: string, round = 1): string => `await-merge/${round}/1/${what}`;
const lefts = (run: Run) => run.keys().filter((key) => /\/leave(-\d+)?$/.test(key));

/** Seen behind its base at its first look, and let in: its turn is to come. */
function queued(prepared: object = mergedByUs): Run {
  const run = waits(prepared);
  look(run, 1, behind);
  run.succeeds(at('enter'));
  return run;
}

/** It has its turn, and sees once more that it is behind. */
function inTurn(prepared: object = mergedByUs): Run {
  const run = queued(prepared);
  turnBegins(run);
  look(run, 2, behind);
  return run;
}

/** Put onto the new base D as C, published, judged there, and shown. */
function moved(run: Run, fails = false): void {
  run.succeeds(at('rebase-2'), { outcome: 'rebased', commit: C, base: D, samePatch: true });
  run.succeeds(at('publish-2'), { branch: 'workledger/x', commit: C });
  run.succeeds(at('request-2'));
  run.succeeds(at('validate-2'), judgement(C, fails ? testsFail : null));
  run.succeeds(at('judge-2'));
}
function movedAndShown(prepared: object = mergedByUs): Run {
  const run = inTurn(prepared);
  moved(run);
  begun(run, 2);
  return run;
}

describe('a pull request whose base has moved', () => {
  it('queues, is not touched before its turn, and goes on being looked at', () => {
    const run = queued();
    expect(run.requested(at('enter'))).toMatchObject({ type: 'merge-queue.enter', data: { baseBranch: 'main' } });
    expect(run.open()).toEqual([at('pause-2')]);
    pauseOver(run, 2);
    look(run, 2, behind);
    expect(run.keys().filter((key) => key.includes('rebase') || key.includes('enter-'))).toEqual([]);
    expect(run.open()).toEqual([at('pause-3')]);
  });

  it('is put onto its base in its turn, pushed, judged there, shown anew, and looked at as it is then', () => {
    const run = inTurn();
    expect(run.requested(at('rebase-2'))).toMatchObject({ component: 'code.rebase', request: { commit: B } });
    moved(run);
    expect(run.requested(at('publish-2'))).toMatchObject({ request: { commit: C, base: D } });
    begun(run, 2);
    expect(run.requested(at('check', 2))).toMatchObject({ request: { commit: C, state: 'success' } });
    expect(run.state().facts).toMatchObject({ commit: C, base: D, rebased: 1, turn: true, sentBack: 0 });
    expect(run.open()).toContain(at('look-1', 2));
  });

  it('is merged once the checks of its new head are green, by that head, and only then lets the next one have its turn', () => {
    const run = movedAndShown();
    look(run, 1, { ...green, head: C, checks: { state: 'pending', failed: [] } }, 2);
    expect(lefts(run)).toEqual([]);
    pauseOver(run, 2, 2);
    look(run, 2, { ...green, head: C }, 2);
    expect(run.requested(at('merge-2', 2))).toMatchObject({ request: { commit: C } });
    run.succeeds(at('merge-2', 2), { outcome: 'merged', commit: C, reason: null });
    expect(run.requested(at('leave-2', 2))).toMatchObject({ data: { outcome: 'merged' } });
    run.succeeds(at('leave-2', 2));
    toItsEnd(run);
    expect(run.ended()).toBe('completed');
  });

  it('goes back to its agent with what conflicts, and lets the next one have its turn first', () => {
    const run = waits(mergedByUs);
    look(run, 1, { ...open, mergeable: false, mergeableState: 'dirty' });
    run.succeeds(at('enter'));
    turnBegins(run);
    look(run, 2, { ...open, mergeable: false, mergeableState: 'dirty' });
    run.succeeds(at('rebase-2'), { outcome: 'conflict', base: D, detail: 'both changed f', report: reference });
    expect(run.requested(at('leave-2'))).toMatchObject({ data: { outcome: 'sent-back' } });
    run.succeeds(at('leave-2'));
    expect(run.requested(at('send-back'))).toMatchObject({
      data: { reason: expect.stringContaining('conflicts with it: both changed f'), report: reference },
    });
    run.succeeds(at('send-back'));
    expect(run.open()).toEqual(['generate/2/1/request']);
    expect(run.state().facts).toMatchObject({ commit: D, base: D, overtaken: 1, turn: false, queued: false });
  });

  it('goes back where its tests do not pass on the new base', () => {
    const run = inTurn();
    moved(run, true);
    run.succeeds(at('leave-2'));
    expect(run.requested(at('send-back'))).toMatchObject({ data: { report: reference } });
  });

  it('is merged as it is where it was checked and its host lets it, without a turn', () => {
    const run = waits(mergedByUs);
    look(run, 1, green);
    run.succeeds(at('merge-1'), { outcome: 'merged', commit: C, reason: null });
    expect(run.keys().filter((key) => /enter|rebase|leave/.test(key))).toEqual([]);
    expect(run.state().facts.merged).toBe(true);
  });

  it('stays as it is where its host was slow to see that there is nothing to do', () => {
    const run = inTurn();
    run.succeeds(at('rebase-2'), { outcome: 'rebased', commit: B, base: D, samePatch: true });
    expect(run.keys().filter((key) => key.includes('publish-'))).toEqual([]);
    expect(run.open()).toContain(at('pause-3'));
  });

  it('gives its turn away when red checks send it back, when a person pushes, and when it waits too long', () => {
    const sentBack = movedAndShown();
    look(sentBack, 1, { ...red('one'), head: C }, 2);
    sentBack.succeeds(at('leave', 2));
    expect(sentBack.open()).toContain(at('send-back', 2));

    const pushed = movedAndShown();
    look(pushed, 1, { ...open, head: D }, 2);
    expect(pushed.requested(at('leave', 2))).toMatchObject({ data: { outcome: 'sent-back' } });

    const slow = movedAndShown();
    const waiting = { ...open, head: C, mergeableState: 'blocked' };
    look(slow, 1, waiting, 2);
    slow.succeeds(at('turn', 2));
    expect(lefts(slow)).toEqual([]);
    look(slow, 2, waiting, 2);
    expect(slow.requested(at('leave-2', 2))).toMatchObject({ data: { outcome: 'sent-back' } });
    slow.succeeds(at('leave-2', 2));
    expect(slow.state().facts).toMatchObject({ turn: false, queued: false });
    expect(slow.ended()).toBeNull();
  });

  it('queues again where a person took its place', () => {
    const run = queued();
    released(run);
    pauseOver(run, 2);
    look(run, 2, behind);
    expect(run.open()).toContain(at('enter-2'));
  });

  it('leaves the queue when its task is cancelled', () => {
    const run = queued();
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no longer wanted' });
    expect(run.requested('undo/await-merge/1/leave')).toMatchObject({ data: { outcome: 'left' } });
    toItsEnd(run);
    expect(run.ended()).toBe('cancelled');
  });

  it('is put onto it ten times at most: then a person is asked', () => {
    const run = queued();
    for (let round = 1; round <= 10; round++) {
      const last = round === 1 ? 2 : 1;
      const name = (what: string) => at(last === 1 ? what : `${what}-${last}`, round);
      const head = round % 2 === 1 ? B : C;
      const commit = round % 2 === 1 ? C : B;
      if (round === 1) turnBegins(run);
      look(run, last, { ...behind, head }, round);
      run.succeeds(name('rebase'), {
        outcome: 'rebased',
        commit,
        base: String(round).padStart(40, '0'),
        samePatch: true,
      });
      run.succeeds(name('publish'), { branch: 'workledger/x', commit });
      run.succeeds(name('request'));
      run.succeeds(name('validate'), judgement(commit));
      run.succeeds(name('judge'));
      begun(run, round + 1);
    }
    look(run, 1, { ...behind, head: B }, 11);
    expect(run.requested(at('ask', 11))).toMatchObject({ data: { text: expect.stringContaining('10 times') } });
  });
});

describe('a head that a rebase made, whose checks do not start', () => {
  const none = { ...open, head: C, checks: { state: 'none', failed: [] } };
  const after = (run: Run): void => {
    look(run, 1, none, 2);
    run.succeeds(at('checks', 2));
    look(run, 2, none, 2);
  };

  it('is not merged unchecked, and asked about in words after its time, once; then the next has its turn', () => {
    const run = movedAndShown();
    look(run, 1, none, 2);
    expect(run.requested(at('checks', 2))).toMatchObject({ kind: 'timer' });
    for (let number = 2; number < 6; number++) {
      pauseOver(run, number, 2);
      look(run, number, none, 2);
    }
    expect(run.keys().filter((key) => /\/(ask|merge-\d)$/.test(key))).toEqual([]);
    run.succeeds(at('checks', 2));
    look(run, 6, none, 2);
    const asked = run.requested(at('ask', 2));
    expect(asked).toMatchObject({
      ...{ type: 'question.ask-choice' },
      data: { choices: ['wait', 'merge', 'give-up'], commit: C, text: expect.stringContaining('none has started') },
    });
    run.succeeds(at('ask', 2));
    run.succeeds(at('leave-6', 2));
    pauseOver(run, 7, 2);
    look(run, 7, none, 2);
    expect(run.keys().filter((key) => /\/(ask|rebase)/.test(key) && key.startsWith('await-merge/2'))).toEqual([
      at('ask', 2),
    ]);
  });

  const answered = (choice: string): Run => {
    const run = movedAndShown();
    after(run);
    const asked = run.requested(at('ask', 2)) as unknown as { target: string };
    run.succeeds(at('ask', 2));
    run.succeeds(at('leave-2', 2));
    run.receives('question', asked.target, 'QuestionAnswered', { taskId: run.taskId, runId: run.claimId, choice });
    return run;
  };

  it('is merged as it is where a person says so', () => {
    const run = answered('merge');
    expect(run.requested(at('merge-2', 2))).toMatchObject({ request: { commit: C } });
  });

  it('fails where a person gives it up', () => {
    const run = answered('give-up');
    toItsEnd(run);
    expect(run.requested('end/1/fail')).toMatchObject({
      data: { failure: { reason: expect.stringContaining('gave') } },
    });
  });

  it('waits where a person says so, and what was asked is no matter once its checks start', () => {
    const run = answered('wait');
    pauseOver(run, 3, 2);
    look(run, 3, { ...none, checks: { state: 'pending', failed: [] } }, 2);
    expect(run.requested(at('withdraw-3', 2))).toMatchObject({ type: 'question.withdraw' });
    run.succeeds(at('withdraw-3', 2));
    pauseOver(run, 4, 2);
    look(run, 4, { ...green, head: C }, 2);
    expect(run.open()).toContain(at('merge-4', 2));
  });

  it('is merged without where its repository has never had any', () => {
    const run = waits(mergedByUs);
    const bare = { ...open, checks: { state: 'none', failed: [] } };
    for (let number = 1; number < 4; number++) {
      look(run, number, bare);
      if (number < 3) pauseOver(run, number + 1);
    }
    expect(run.open()).toContain(at('merge-3'));
  });
});
