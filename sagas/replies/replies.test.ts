import { derivedId, newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { ANSWERED_BEFORE } from '@workledger/shared/contexts/task/question/events.ts';
import { describe, expect, it } from 'vitest';
import type { ReplyRequest } from '../components/replies/reply.ts';
import { because } from '../engine/component.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { replies } from './replies.ts';

const PLACES = { slack: 'C1/1700000000.000001', linear: 'ENG-7', github: 'acme/shop#12', api: null };
const result = { merged: true, commit: 'a'.repeat(40), costUsd: 0.5 };

function from(kind: keyof typeof PLACES) {
  const run = scenario(replies);
  const taskId = derivedId('task', kind);
  const task = (type: string, data: object = {}) => run.receives('task', taskId, type, data);
  const create = () =>
    task('TaskCreated', { repository: 'shop', source: { kind, reference: PLACES[kind], url: null } });
  const asks = (id = newId(), approval: object | null = {}) => {
    run.receives('question', id, 'QuestionAsked', { taskId, approval, askedBy: 'agent:1' });
    return id;
  };
  const answers = (data: object, id = newId()) => {
    const said = { taskId, questionId: null, repository: 'shop', verb: 'approve', by: `${kind}:U1`, isTrusted: true };
    run.receives('delivery', id, 'DeliveryAnswered', { ...said, ...data });
    return id;
  };
  const told = (number: number): ReplyRequest | undefined => {
    const effect = run.requested(`tell/${number}`);
    return effect?.kind === 'call' ? (effect.request as ReplyRequest) : undefined;
  };
  const done = (number: number, id = `message-${number}`, state: string | null = null) =>
    run.succeeds(`tell/${number}`, { outcome: 'written', id, state });
  return { ...run, taskId, task, create, asks, answers, told, done };
}

describe('what becomes of a task', () => {
  it('is told where it came from, in one message', () => {
    const run = from('slack');
    run.create();
    expect(run.open()).toEqual([]);
    run.task('TaskClaimed');
    expect(run.requested('tell/1')).toMatchObject({ kind: 'call', component: 'slack.tell' });
    expect(run.told(1)).toMatchObject({
      place: PLACES.slack,
      about: 'task',
      known: null,
      stage: 'started',
      repository: 'shop',
    });
    run.done(1, '2.1');
    run.task('TaskPullRequestOpened', { url: 'https://git/7' });
    expect(run.told(2)).toMatchObject({
      about: 'task',
      known: '2.1',
      stage: 'review',
      text: expect.stringContaining('https://git/7'),
    });
    run.done(2, '2.1');
    run.task('TaskCompleted', { result });
    expect(run.told(3)).toMatchObject({
      ...{ known: '2.1', stage: 'done' },
      text: `It is done, and merged: ${result.commit}. It cost $0.50.\nIts pull request: https://git/7`,
    });
  });
  it.each([
    ['TaskFailed', { failure: because('work', 'red') }, 'failed', 'It failed.', 'red'],
    ['TaskCancelled', { reason: 'no need' }, 'cancelled', 'It was cancelled.', 'no need'],
    ['TaskSentBack', {}, 'started', 'It was sent back, and its agent goes on.'],
    ['TaskRetried', {}, 'started', 'It is begun again.'],
    ['TaskApprovalAsked', {}, 'review', 'Its work has passed its tests, and waits for somebody to approve it.'],
  ])('%s', (type, data, stage, text, reason?: string) => {
    const run = from('linear');
    run.create();
    run.task(type, data);
    expect(run.told(1)).toMatchObject({ stage, text, ...(reason !== undefined && { reason }) });
  });
  it('is told one at a time, and then the newest', () => {
    const run = from('slack');
    run.create();
    run.task('TaskClaimed');
    run.task('TaskSentBack');
    run.task('TaskCompleted', { result });
    expect(run.open()).toEqual(['tell/1']);
    run.done(1);
    expect(run.told(2)?.stage).toBe('done');
    run.done(2);
    expect(run.open()).toEqual([]);
  });
  it("hands on the issue's state as it was seen last", () => {
    const run = from('linear');
    run.create();
    run.task('TaskClaimed');
    run.done(1, 'c', 'state-progress');
    run.task('TaskCompleted', { result });
    expect(run.told(2)?.state).toBe('state-progress');
  });
  it('is told again later where that failed for now, and by then the newest', () => {
    const run = from('slack');
    run.create();
    run.task('TaskClaimed');
    run.fails('tell/1', true);
    expect(run.requested('again/1')).toMatchObject({ kind: 'timer', dueAt: '2026-01-01T00:00:05.000Z' });
    run.task('TaskCompleted', { result });
    expect(run.open()).toEqual(['again/1']);
    run.succeeds('again/1');
    expect(run.told(2)?.stage).toBe('done');
    run.fails('tell/2', true);
    expect(run.requested('again/2')).toMatchObject({ dueAt: '2026-01-01T00:00:10.000Z' });
    run.succeeds('again/2');
    run.done(3);
    expect(run.open()).toEqual([]);
  });
  it('is not told again where that is refused for good; what comes then is', () => {
    const run = from('slack');
    run.create();
    run.task('TaskClaimed');
    run.fails('tell/1', false);
    expect(run.open()).toEqual(['untold/1']);
    run.task('TaskCompleted', { result });
    expect(run.requested('tell/2')).toBeDefined();
  });
  it('is tried for hours, not for ever', () => {
    const run = from('slack');
    run.create();
    run.task('TaskClaimed');
    for (let number = 1; number <= 40; number++) {
      run.fails(`tell/${number}`, true);
      run.succeeds(`again/${number}`);
    }
    run.fails('tell/41', true);
    expect(run.open()).toEqual(['untold/41']);
  });
  it('is told on an issue of GitHub, and nowhere where it came by the API', () => {
    const run = from('github');
    run.create();
    run.task('TaskClaimed');
    expect(run.requested('tell/1')).toMatchObject({ component: 'github.tell', request: { place: 'acme/shop#12' } });
    const other = from('api');
    other.create();
    other.task('TaskClaimed');
    other.task('TaskCompleted', { result });
    expect(other.keys()).toEqual([]);
  });
});

describe('an issue of Linear', () => {
  it('that is closed when its task is made ends the task', () => {
    const run = from('linear');
    run.create();
    expect(run.requested('look')).toMatchObject({ component: 'linear.look', request: { place: 'ENG-7' } });
    run.succeeds('look', { isOpen: false, state: 'Canceled' });
    expect(run.requested('end')).toMatchObject({
      ...{ type: 'task.cancel', target: run.taskId, data: { reason: 'its issue is Canceled in Linear' } },
    });
  });
  it('that is open lets it go on', () => {
    const run = from('linear');
    run.create();
    run.succeeds('look', { isOpen: true, state: 'Todo' });
    expect(run.open()).toEqual([]);
  });
});

describe('a question', () => {
  it('is asked where the task came from, and told its answer in its place', () => {
    const run = from('github');
    run.create();
    const id = run.asks();
    expect(run.requested('tell/1')).toMatchObject({ component: 'github.tell' });
    expect(run.told(1)).toMatchObject({ about: `question/${id}`, questionId: id, isOpen: true });
    run.done(1, '99');
    run.receives('question', id, 'QuestionAnswered', {
      taskId: run.taskId,
      choice: 'approve',
      answeredBy: 'github:ada',
    });
    expect(run.told(2)).toMatchObject({ known: '99', isOpen: false, text: 'Answered: approve, by ada.' });
  });
  it('has its words nowhere in the saga', () => {
    const run = from('slack');
    run.create();
    run.asks(newId(), null);
    expect(run.told(1)?.text).toBe('Its agent asks:');
  });
  it('is answered by a button, which names it', () => {
    const run = from('slack');
    run.create();
    const id = run.asks();
    const delivery = run.answers({ questionId: id, verb: 'answer', choice: 'approve' });
    expect(run.requested(`answer/${delivery}`)).toMatchObject({
      ...{ type: 'question.answer-delivery', target: id, data: { deliveryId: delivery } },
    });
    run.receivesAgain();
    expect(run.keys().filter((key) => key.startsWith('answer/'))).toHaveLength(1);
  });
  it('is answered by words where it is the only one that they fit', () => {
    const run = from('linear');
    run.create();
    const approval = run.asks();
    const other = run.asks(newId(), null);
    expect(run.requested(`answer/${run.answers({})}`)).toMatchObject({ target: approval });
    expect(run.requested(`answer/${run.answers({ verb: 'answer' })}`)).toMatchObject({ target: other });
  });
  it('of which several are open is answered by none that names no one', () => {
    const run = from('slack');
    run.create();
    run.asks(newId(), null);
    run.asks(newId(), null);
    const delivery = run.answers({ verb: 'answer' });
    expect(run.requested(`answer/${delivery}`)).toBeUndefined();
    run.done(1);
    run.done(2);
    expect(run.told(3)).toMatchObject({ to: 'U1', text: expect.stringContaining('nothing was changed') });
  });
  it('is not answered from another repository', () => {
    const run = from('slack');
    run.create();
    const id = run.asks();
    expect(run.requested(`answer/${run.answers({ questionId: id, repository: 'other' })}`)).toBeUndefined();
  });
  it('says once to whom is not trusted that nothing was changed', () => {
    const run = from('slack');
    run.create();
    run.asks();
    run.done(1);
    const delivery = run.answers({ by: 'slack:U2', isTrusted: false });
    expect(run.requested(`answer/${delivery}`)).toBeUndefined();
    expect(run.told(2)).toMatchObject({ about: 'untrusted/slack:U2', to: 'U2' });
    run.done(2);
    run.answers({ by: 'slack:U2', isTrusted: false });
    expect(run.open()).toEqual([]);
  });
  it('says to whom comes late that it was answered, and nothing to whom presses twice', () => {
    const run = from('slack');
    run.create();
    const id = run.asks();
    run.done(1);
    const [first, twice, late] = [run.answers({}), run.answers({}), run.answers({ by: 'slack:U3' })];
    run.receives('question', id, 'QuestionAnswered', { taskId: run.taskId, choice: 'approve', answeredBy: 'slack:U1' });
    run.done(2);
    run.succeeds(`answer/${first}`);
    run.fails(`answer/${twice}`, false, `already-answered: ${ANSWERED_BEFORE}`);
    expect(run.open()).toEqual([`answer/${late}`]);
    run.fails(`answer/${late}`, false, `already-answered: ${ANSWERED_BEFORE}`);
    const other = run.answers({ verb: 'refuse' });
    run.fails(`answer/${other}`, false, `already-answered: ${ANSWERED_BEFORE}`);
    expect(run.told(3)).toMatchObject({
      ...{ to: 'U3', about: `late/${id}/slack:U3` },
      text: 'That changes nothing: this question was answered before, and that answer stands.',
    });
    run.done(3);
    expect(run.told(4), 'another choice by the same person').toMatchObject({ to: 'U1' });
  });
  it('is settled for who pressed twice also where the refusal is known before the answer', () => {
    const run = from('slack');
    run.create();
    const id = run.asks();
    run.done(1);
    const twice = run.answers({});
    run.fails(`answer/${twice}`, false, `already-answered: ${ANSWERED_BEFORE}`);
    expect(run.open()).toEqual([]);
    run.receives('question', id, 'QuestionAnswered', { taskId: run.taskId, choice: 'approve', answeredBy: 'slack:U1' });
    run.done(2);
    expect(run.open()).toEqual([]);
  });
  it('says to whom answers what does not fit why that changes nothing', () => {
    const run = from('slack');
    run.create();
    run.asks();
    run.done(1);
    const delivery = run.answers({ verb: 'refuse' });
    run.fails(`answer/${delivery}`, false, 'out-of-range: words: say what is wrong with the work');
    expect(run.told(2)).toMatchObject({
      to: 'U1',
      text: 'That changes nothing: words: say what is wrong with the work.',
    });
  });
});

it('follows what has the id of an issue or a thread, and nothing else', () => {
  const event = (type: string, id: string, data: object = {}) =>
    ({ type, data, stream: streamName('task', id) }) as RecordedEvent;
  const id = derivedId('task', 'slack');
  expect(replies.correlate(event('TaskClaimed', id))).toBe(id);
  expect(replies.correlate(event('TaskClaimed', newId()))).toBeNull();
  expect(replies.correlate(event('TaskProgressReported', id))).toBeNull();
  expect(replies.correlate(event('QuestionAsked', newId(), { taskId: null }))).toBeNull();
});
