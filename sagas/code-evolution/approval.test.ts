import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, it } from 'vitest';
import { A, B, C, D, claimed, generated, plan, publish, turn, validated, type Run } from './testing.ts';

const approver = { kind: 'role', role: 'operator' };
const approvalOf = (run: Run, commit = B, number = 1): string =>
  derivedId('approval', run.taskId, commit, String(number));

/** A run that passed its tests in a repository whose merges are approved. */
function passed(merge = 'fast-forward'): Run {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', { ...plan, merge, approval: approver });
  generated(run);
  publish(run);
  validated(run, 1, 'passed');
  return run;
}

/** The question is asked, and the task knows of it. */
function asked(run: Run, commit = B, round = 1): string {
  run.succeeds(`approve/${round}/1/ask-1`, { details: { stands: 'asked' } });
  run.succeeds(`approve/${round}/1/await`);
  run.succeeds(`approve/${round}/1/free`);
  return approvalOf(run, commit);
}

const answers = (run: Run, questionId: string, choice: string): unknown =>
  run.receives('question', questionId, 'QuestionAnswered', {
    ...{ taskId: run.taskId, runId: run.claimId, choice, words: choice === 'approve' ? null : 'not so' },
    ...{ answeredBy: 'key:1', via: 'api' },
  });

describe('a run whose merge is to be approved', () => {
  it('asks about its commit before it queues, tells the task, frees its agent, and waits', () => {
    const run = passed();
    expect(run.requested('approve/1/1/ask-1')).toMatchObject({
      ...{ type: 'question.ask-approval', target: approvalOf(run) },
      data: { taskId: run.taskId, runId: run.claimId, commit: B, base: A, askee: approver },
    });
    const questionId = asked(run);
    expect(run.requested('approve/1/1/await')).toMatchObject({
      ...{ type: 'task.await-approval', data: { claimId: run.claimId, questionId, commit: B } },
    });
    expect(run.requested('approve/1/1/free')).toMatchObject({ type: 'agent.release' });
    expect([run.open(), run.ended()]).toEqual([[], null]);
  });

  it('queues when a person approved', () => {
    const run = passed();
    answers(run, asked(run), 'approve');
    expect(run.open()).toEqual(['merge/1/1/enter']);
  });

  it('does not ask where somebody has approved this commit before', () => {
    const run = passed();
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'approved' } });
    expect(run.open()).toEqual(['merge/1/1/enter']);
  });

  it('asks anew what another run of the task was answered otherwise', () => {
    const run = passed();
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'over' } });
    expect(run.requested('approve/1/1/ask-2')).toMatchObject({ target: approvalOf(run, B, 2) });
  });

  it('fails with the words of who refused, and keeps its branch', () => {
    const run = passed();
    const questionId = asked(run);
    answers(run, questionId, 'refuse');
    for (let open = run.open(); run.ended() === null && open.length > 0; open = run.open())
      for (const key of open) run.succeeds(key, { worktrees: 0 });
    const fail = run.keys().filter((key) => key.endsWith('/fail'));
    expect(fail.map((key) => run.requested(key))).toMatchObject([
      { type: 'task.fail', data: { questionId, failure: { step: 'approve' } } },
    ]);
    expect(run.keys().filter((key) => /unpublish/.test(key))).toEqual([]);
  });

  it('goes back to its agent with the words, as often as a person likes, and asks about what it makes of them', () => {
    const run = passed();
    for (let round = 1; round <= 6; round++) {
      const commit = String(round).repeat(40);
      const before = round === 1 ? B : String(round - 1).repeat(40);
      const questionId = asked(run, before, round);
      answers(run, questionId, 'send-back');
      expect(run.requested(`approve/${round}/1/send-back`)).toMatchObject({
        ...{ type: 'task.send-back', data: { claimId: run.claimId, questionId } },
      });
      run.succeeds(`approve/${round}/1/send-back`);
      generated(run, round + 1, commit);
      run.succeeds(`publish/${round + 1}/1/publish`, { branch: 'workledger/x', commit });
      validated(run, round + 1, 'passed', true, commit);
      expect(run.requested(`approve/${round + 1}/1/ask-1`)).toMatchObject({ target: approvalOf(run, commit) });
    }
  });

  it('withdraws the question when the task is cancelled meanwhile', () => {
    const run = passed();
    const questionId = asked(run);
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no need', parentId: null });
    const withdrawn = run.keys().flatMap((key) => run.requested(key) ?? []);
    expect(withdrawn).toContainEqual(expect.objectContaining({ type: 'question.withdraw', target: questionId }));
  });

  it('is not asked where nothing is merged', () => {
    expect(
      passed('never')
        .keys()
        .filter((key) => key.startsWith('approve/')),
    ).toEqual([]);
  });
});

describe('an approved run that was overtaken', () => {
  function rebased(samePatch: boolean): Run {
    const run = passed();
    answers(run, asked(run), 'approve');
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'base-moved', commit: B, base: C });
    run.succeeds('merge/1/1/rebase', { outcome: 'rebased', commit: D, base: C, samePatch });
    run.succeeds('merge/1/1/publish', { branch: 'workledger/x', commit: D });
    run.succeeds('merge/1/1/request');
    const report = { digest: 'e'.repeat(64), size: 1, mediaType: 'text/plain' };
    run.succeeds('merge/1/1/validate', { report, commit: D, protectedChanges: [], failure: null });
    run.succeeds('merge/1/1/judge');
    return run;
  }

  it('is merged in the same turn where its patch is the same', () => {
    expect(rebased(true).requested('merge/1/1/merge-2')).toMatchObject({ request: { commit: D, base: C } });
  });

  it('lets the others go first and asks about another patch', () => {
    const run = rebased(false);
    expect(run.open()).toEqual(['merge/1/1/leave']);
    run.succeeds('merge/1/1/leave');
    const ask = run.keys().find((key) => /^approve\/.*\/ask-1$/.test(key) && key !== 'approve/1/1/ask-1');
    expect(run.requested(ask ?? '')).toMatchObject({ target: approvalOf(run, D), data: { commit: D, base: C } });
  });
});
