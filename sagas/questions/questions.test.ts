import { newId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, it } from 'vitest';
import { scenario } from '../engine/testing/scenario.ts';
import { questions } from './questions.ts';

/** A minute after the scenario's clock. */
const at = '2026-01-01T00:01:00.000Z';

function asking(deadline: object | null = { at, then: 'fail' }) {
  const run = scenario(questions);
  const [taskId, id] = [newId(), newId()];
  const ask = () => run.receives('question', id, 'QuestionAsked', { taskId, runId: null, deadline });
  const end = (type: string) => run.receives('task', taskId, type, { claimId: null });
  const answer = () => run.receives('question', id, 'QuestionAnswered', { taskId, runId: null, choice: 'yes' });
  return { ...run, taskId, id, ask, end, answer };
}

describe('the deadline of a question', () => {
  it('is a timer, and then asked for where it is decided', () => {
    const run = asking();
    run.ask();
    expect(run.requested(`deadline/${run.id}/1`)).toMatchObject({ kind: 'timer', dueAt: at });
    run.succeeds(`deadline/${run.id}/1`);
    expect(run.requested(`meet/${run.id}/1`)).toMatchObject({
      ...{ type: 'question.meet-deadline', target: run.id, data: { at } },
    });
    run.succeeds(`meet/${run.id}/1`, { details: {} });
    expect(run.open()).toEqual([]);
  });
  it('is looked at once more where the other clock says that it is early', () => {
    const run = asking();
    run.ask();
    run.succeeds(`deadline/${run.id}/1`);
    run.succeeds(`meet/${run.id}/1`, { details: { dueAt: at } });
    expect(run.open()).toEqual([`deadline/${run.id}/2`]);
  });
  it('does not matter once there is an answer', () => {
    const run = asking();
    run.ask();
    run.answer();
    expect(run.open()).toEqual([]);
    expect(run.state().open).toEqual({});
  });
  it('is none where none was set', () => {
    const run = asking(null);
    run.ask();
    expect(run.keys()).toEqual([]);
  });
});

describe('the end of a task', () => {
  it.each([
    ['TaskCompleted', 'its task is complete'],
    ['TaskFailed', 'its task is failed'],
    ['TaskCancelled', 'its task is cancelled'],
  ])('%s withdraws its open questions', (type, reason) => {
    const run = asking();
    run.ask();
    run.end(type);
    expect(run.open()).toEqual([`withdraw/${run.id}`]);
    expect(run.requested(`withdraw/${run.id}`)).toMatchObject({ type: 'question.withdraw', data: { reason } });
    run.receivesAgain();
    expect(run.open()).toEqual([`withdraw/${run.id}`]);
  });
  it('withdraws what is seen after it, too', () => {
    const run = asking();
    run.end('TaskFailed');
    run.ask();
    expect(run.open()).toEqual([`withdraw/${run.id}`]);
  });
  it('but not what is asked when the task was retried', () => {
    const run = asking();
    run.end('TaskFailed');
    run.end('TaskRetried');
    run.ask();
    expect(run.open()).toEqual([`deadline/${run.id}/1`]);
  });
  it('leaves answered ones alone', () => {
    const run = asking();
    run.ask();
    run.answer();
    run.end('TaskCompleted');
    expect(run.open()).toEqual([]);
  });
});
