import { describe, expect, it } from 'vitest';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { A, B, C, claimed, D, generated, judgedOnTop, plan, publish, reference, turn, validated } from './testing.ts';
import type { Run } from './testing.ts';

const operators = { kind: 'role', role: 'operator' };
const approved = { ...plan, approval: operators };

/** The question that is asked first about a commit. */
const questionOf = (run: Run, commit: string, number = 1): string =>
  derivedId('approval', run.taskId, commit, String(number));

/** A run whose tests have passed, in a repository that demands an approval. */
function ready(prepared: object = approved): Run {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', prepared);
  generated(run);
  publish(run);
  validated(run, 1, 'passed');
  return run;
}

/** Its question is asked, and its task and agent are told. */
function asks(run: Run, round = 1): void {
  run.succeeds(`approve/${round}/1/ask-1`, { details: { stands: 'asked' } });
  run.succeeds(`approve/${round}/1/await`);
  run.succeeds(`approve/${round}/1/free`);
}

/** A person answers what is asked about a commit. */
const answers = (run: Run, choice: 'approve' | 'refuse' | 'send-back', commit = B) =>
  run.receives('question', questionOf(run, commit), 'QuestionAnswered', {
    ...{ taskId: run.taskId, runId: run.claimId, choice, answeredBy: 'key:1', via: 'api' },
    words: choice === 'approve' ? null : 'Greet in French.',
  });

describe('a run whose merge somebody must approve', () => {
  it('asks before it queues, frees its agent, and waits', () => {
    const run = ready();
    expect(run.open()).toEqual(['approve/1/1/ask-1']);
    expect(run.requested('approve/1/1/ask-1')).toMatchObject({
      ...{ type: 'question.ask-approval', target: questionOf(run, B) },
      data: { taskId: run.taskId, runId: run.claimId, commit: B, base: A, askee: operators },
    });
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'asked' } });
    expect(run.requested('approve/1/1/await')).toMatchObject({
      ...{ type: 'task.await-approval', target: run.taskId },
      data: { claimId: run.claimId, questionId: questionOf(run, B), commit: B },
    });
    run.succeeds('approve/1/1/await');
    expect(run.requested('approve/1/1/free')).toMatchObject({ type: 'agent.release' });
    run.succeeds('approve/1/1/free');
    expect(run.open()).toEqual([]);
    expect(run.ended()).toBeNull();
  });

  it.each([
    ['nobody must approve', plan],
    ['nothing is merged', { ...approved, merge: 'never' }],
  ])('asks nobody where %s', (_, prepared) => {
    expect(
      ready(prepared)
        .keys()
        .filter((key) => key.startsWith('approve/')),
    ).toEqual([]);
  });

  it('is merged when it is approved', () => {
    const run = ready();
    asks(run);
    answers(run, 'approve');
    expect(run.open()).toEqual(['merge/1/1/enter']);
    turn(run);
    expect(run.requested('merge/1/1/merge')).toMatchObject({ request: { commit: B, base: A } });
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: B, base: A });
    run.succeeds('merge/1/1/leave');
    expect(run.state().facts).toMatchObject({ approved: B, merged: true });
  });

  it('hears an answer that comes before its task is told', () => {
    const run = ready();
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'asked' } });
    answers(run, 'approve');
    expect(run.open()).toEqual(['approve/1/1/await']);
    run.succeeds('approve/1/1/await');
    run.succeeds('approve/1/1/free');
    expect(run.open()).toEqual(['merge/1/1/enter']);
  });

  it('goes to the merge at once where the commit was approved before it was retried', () => {
    const run = ready();
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'approved' } });
    expect(run.open()).toEqual(['merge/1/1/enter']);
    expect(run.requested('approve/1/1/await')).toBeUndefined();
  });

  it('asks once more where the question was another attempt’s, and over', () => {
    const run = ready();
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'over' } });
    expect(run.requested('approve/1/1/ask-2')).toMatchObject({ target: questionOf(run, B, 2) });
  });
});

describe('a merge that is not approved', () => {
  it('ends the task when it is refused, and its branch stays', () => {
    const run = ready();
    asks(run);
    answers(run, 'refuse');
    for (let step = 0; run.ended() === null && step < 20; step++) for (const key of run.open()) run.succeeds(key);
    expect(run.ended()).toBe('failed');
    const effects = run.keys().map((key) => run.requested(key));
    const failing = effects.find((effect) => effect?.kind === 'command' && effect.type === 'task.fail');
    expect(failing).toMatchObject({
      data: { failure: { step: 'approve', reason: 'a person refused the merge' }, questionId: questionOf(run, B) },
    });
    expect(run.keys().filter((key) => key.startsWith('undo/publish'))).toEqual([]);
    expect(run.requested('merge/1/1/enter')).toBeUndefined();
  });

  it('goes back to its agent, which is told where the words are, and does not count as its fault', () => {
    const run = ready();
    asks(run);
    answers(run, 'send-back');
    expect(run.requested('approve/1/1/send-back')).toMatchObject({
      ...{ type: 'task.send-back', target: run.taskId },
      data: { reason: 'a person sent the work back', questionId: questionOf(run, B) },
    });
    run.succeeds('approve/1/1/send-back');
    expect(run.state().facts).toMatchObject({ sentBack: 0, feedback: { questionId: questionOf(run, B) } });
    generated(run, 2, D);
    publish(run, 2);
    validated(run, 2, 'passed');
    expect(run.requested('approve/2/1/ask-1')).toMatchObject({
      target: questionOf(run, run.state().facts.commit ?? ''),
    });
  });

  it('asks again about the same commit where its agent changed nothing', () => {
    const run = ready();
    asks(run);
    answers(run, 'send-back');
    run.succeeds('approve/1/1/send-back');
    generated(run, 2, B);
    publish(run, 2);
    validated(run, 2, 'passed');
    expect(run.open()).toEqual(['approve/2/1/ask-2']);
    expect(run.requested('approve/2/1/ask-2')).toMatchObject({ target: questionOf(run, B, 2) });
  });

  it('withdraws its question when its task is cancelled while it waits', () => {
    const run = ready();
    asks(run);
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'enough' });
    expect(run.requested('undo/approve/1/withdraw')).toMatchObject({
      ...{ type: 'question.withdraw', target: questionOf(run, B) },
      data: { reason: 'enough' },
    });
  });
});

describe('an approved commit that is rebased', () => {
  function rebased(samePatch: boolean): Run {
    const run = ready();
    asks(run);
    answers(run, 'approve');
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'base-moved', commit: B, base: C });
    run.succeeds('merge/1/1/rebase', { outcome: 'rebased', commit: D, base: C, samePatch });
    run.succeeds('merge/1/1/publish', { branch: 'workledger/x', commit: D });
    run.succeeds('merge/1/1/request');
    run.succeeds('merge/1/1/validate', { report: reference, commit: D, protectedChanges: [], failure: null });
    run.succeeds('merge/1/1/judge');
    return run;
  }

  it('stays approved where its patch is the same', () => {
    const run = rebased(true);
    expect(run.open()).toEqual(['merge/1/1/merge-2']);
    expect(run.requested('merge/1/1/merge-2')).toMatchObject({ request: { commit: D, base: C } });
  });

  it('gives its turn away and is asked about anew where it is another patch', () => {
    const run = rebased(false);
    expect(run.requested('merge/1/1/leave')).toMatchObject({ data: { outcome: 'sent-back' } });
    run.succeeds('merge/1/1/leave');
    expect(run.open()).toEqual(['approve/2/1/ask-1']);
    expect(run.requested('approve/2/1/ask-1')).toMatchObject({ target: questionOf(run, D), data: { base: C } });
    asks(run, 2);
    answers(run, 'approve', D);
    turn(run, 2);
    expect(run.requested('merge/2/1/merge')).toMatchObject({ request: { commit: D, base: C } });
  });

  it('needs an approval anew where nobody can tell that its patch is the same', () => {
    const run = ready();
    asks(run);
    answers(run, 'approve');
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'base-moved', commit: B, base: C });
    judgedOnTop(run, 1, { commit: D, base: C });
    expect(run.open()).toEqual(['merge/1/1/leave']);
  });
});
