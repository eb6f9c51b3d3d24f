import { derivedId, newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { describe, expect, it } from 'vitest';
import type { ReplyRequest } from '../components/replies/reply.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { replies } from './replies.ts';

const ISSUE = 'https://github.com/acme/shop/issues/12';
const PULL = 'https://github.com/acme/shop/pull/13';
const CHANNEL = 'C0123ABCD';

/** A task of a repository whose tasks are told of in Slack and Linear, too. */
function toldElsewhere(kind: 'github' | 'gitea' | 'api' = 'gitea') {
  const run = scenario(replies);
  const [taskId, url] = kind === 'api' ? [newId(), null] : [derivedId('task', kind), ISSUE];
  const reference = kind === 'api' ? null : 'acme/shop#12';
  const task = (type: string, data: object = {}) => run.receives('task', taskId, type, { isAlsoTold: true, ...data });
  const told = (number: number): ReplyRequest & { component: string } => {
    const effect = run.requested(`tell/${number}`);
    if (effect?.kind !== 'call') throw new Error(`no tell/${number}`);
    return { ...(effect.request as ReplyRequest), component: effect.component };
  };
  const done = (number: number, id: string | null = `message-${number}`) =>
    run.succeeds(`tell/${number}`, { outcome: 'written', id, state: null });
  const alsoTold = [
    { kind: 'slack', place: CHANNEL },
    { kind: 'linear', place: url },
  ];
  task('TaskCreated', { repository: 'shop', source: { kind, reference, url }, alsoTold });
  return { ...run, taskId, task, told, done };
}

describe('what becomes of a task that began elsewhere', () => {
  it('is told in the channel of its repository, and on the issue that its own is attached to', () => {
    const run = toldElsewhere();
    run.task('TaskClaimed');
    const of = { repository: 'shop', known: null, stage: 'started', text: 'An agent works on it.' };
    expect(run.told(1)).toMatchObject({ ...of, component: 'slack.tell', place: CHANNEL, about: 'task/slack' });
    run.done(1, '1.5');
    expect(run.told(2)).toMatchObject({ ...of, component: 'linear.tell', attachedTo: [ISSUE], about: 'task/linear' });
    run.done(2, 'issue-7');
    run.task('TaskPullRequestOpened', { url: PULL });
    run.done(3, '1.5');
    expect(run.told(4)).toMatchObject({ known: 'issue-7', attachedTo: [ISSUE, PULL], stage: 'review' });
    run.done(4, 'issue-7');
    run.task('TaskCompleted', { result: { merged: true, commit: 'a'.repeat(40), costUsd: null } });
    const text = `It is done, and merged: ${'a'.repeat(40)}.\nIts pull request: ${PULL}`;
    expect(run.told(5)).toMatchObject({ place: CHANNEL, known: '1.5', stage: 'done', text });
    run.done(5, '1.5');
    expect(run.told(6)).toMatchObject({ known: 'issue-7', stage: 'done', text });
    run.done(6, 'issue-7');
    expect(run.open()).toEqual([]);
  });

  it('by the API: in the channel at once, and on an issue as soon as there is what it may be attached to', () => {
    const run = toldElsewhere('api');
    run.task('TaskClaimed');
    expect(run.told(1)).toMatchObject({ place: CHANNEL, taskId: run.taskId });
    run.done(1);
    expect(run.open()).toEqual([]);
    run.task('TaskPullRequestOpened', { url: PULL });
    run.done(2);
    expect(run.told(3)).toMatchObject({ place: PULL, attachedTo: [PULL], text: `Its pull request is open: ${PULL}` });
  });

  it('is looked for anew where no issue was attached', () => {
    const run = toldElsewhere();
    run.task('TaskClaimed');
    run.done(1);
    run.succeeds('tell/2', { outcome: 'nowhere', id: null, state: null });
    run.task('TaskFailed', { failure: { reason: 'red' } });
    run.done(3);
    expect(run.told(4)).toMatchObject({ component: 'linear.tell', known: null, stage: 'failed' });
  });

  it('has notes of its questions in the thread, and nobody answers there', () => {
    const run = toldElsewhere('github');
    run.task('TaskClaimed');
    run.done(1);
    run.done(2, '1.5');
    run.done(3, 'issue-7');
    const id = newId();
    const asked = { taskId: run.taskId, repository: 'shop', approval: null, askedBy: 'agent:1' };
    run.receives('question', id, 'QuestionAsked', asked);
    expect(run.told(4)).toMatchObject({ component: 'github.tell', about: `question/${id}`, isOpen: true });
    run.done(4);
    const text = 'Its agent asks, on acme/shop#12:';
    const note = { questionId: id, isOpen: false, stage: null, text };
    expect(run.told(5)).toMatchObject({ ...note, about: `question/${id}/slack`, place: `${CHANNEL}/1.5` });
    run.done(5);
    expect(run.told(6)).toMatchObject({ ...note, about: `question/${id}/linear`, attachedTo: [ISSUE] });
    run.done(6);
    run.receives('question', id, 'QuestionAnswered', { taskId: run.taskId, choice: 'left', answeredBy: 'github:ada' });
    run.done(7);
    expect(run.told(8)).toMatchObject({ known: 'message-5', text: 'Answered: left, by ada.' });
  });

  it('by the API has its questions noted, too', () => {
    const run = toldElsewhere('api');
    run.receives('question', newId(), 'QuestionAsked', {
      ...{ taskId: run.taskId, repository: 'shop', approval: {}, askedBy: 'saga:code-evolution' },
    });
    expect(run.told(1)).toMatchObject({
      ...{ place: CHANNEL, text: 'It waits for somebody to approve it, through the API:' },
    });
  });
});

describe('what cannot be told', () => {
  it('is parked as it was to be told, and is told once somebody asks for it', () => {
    const run = toldElsewhere();
    run.task('TaskClaimed');
    const first = run.requested('tell/1');
    run.fails('tell/1', false, 'invite the app to the channel');
    expect(run.requested('untold/1')).toEqual({ ...first, key: 'untold/1', parksFailure: true });
    run.done(2, 'issue-7');
    run.succeeds('untold/1', { outcome: 'written', id: '1.5', state: null });
    run.task('TaskFailed', { failure: { reason: 'red' } });
    expect(run.told(3)).toMatchObject({ place: CHANNEL, known: '1.5', stage: 'failed' });
    expect(run.open()).toEqual(['tell/3']);
  });

  it('is not told any more once there is news, or where that came meanwhile', () => {
    const run = toldElsewhere('api');
    run.task('TaskClaimed');
    run.fails('tell/1', false);
    const events = run.task('TaskSentBack');
    expect(events.map(({ type, data }) => [type, 'key' in data ? data.key : ''])).toContainEqual([
      ...['SagaEffectCancelled', 'untold/1'],
    ]);
    run.task('TaskFailed', { failure: { reason: 'red' } });
    run.fails('tell/2', false);
    expect(run.requested('untold/2')).toBeUndefined();
    expect(run.told(3).stage).toBe('failed');
    run.fails('tell/3', false);
    expect(run.requested('untold/3')).toMatchObject({ request: { stage: 'failed' } });
  });
});

describe('where one server is away', () => {
  const asks = (run: ReturnType<typeof toldElsewhere>) =>
    run.receives('question', newId(), 'QuestionAsked', {
      ...{ taskId: run.taskId, repository: 'shop', approval: {}, askedBy: 'agent:1' },
    });

  it('what is told elsewhere does not wait for it', () => {
    const run = toldElsewhere('github');
    run.task('TaskClaimed');
    run.done(1);
    run.fails('tell/2', true);
    expect(run.told(3)).toMatchObject({ component: 'linear.tell' });
    run.done(3);
    expect(run.open()).toEqual(['again/2']);
    asks(run);
    expect(run.told(4)).toMatchObject({ component: 'github.tell' });
    run.done(4);
    run.done(5);
    expect(run.open()).toEqual(['again/2']);
    run.succeeds('again/2');
    expect(run.told(6)).toMatchObject({ component: 'slack.tell', about: 'task/slack' });
    run.done(6, '1.5');
    expect(run.told(7)).toMatchObject({ place: `${CHANNEL}/1.5` });
  });

  it('each has a time of its own', () => {
    const run = toldElsewhere();
    run.task('TaskClaimed');
    run.fails('tell/1', true);
    run.fails('tell/2', true);
    expect(run.open()).toEqual(['again/1', 'again/2']);
    run.succeeds('again/2');
    expect(run.told(3)).toMatchObject({ component: 'linear.tell' });
    run.fails('tell/3', true);
    expect(run.requested('again/3')).toMatchObject({ dueAt: '2026-01-01T00:00:10.000Z' });
    run.succeeds('again/1');
    run.done(4);
    run.succeeds('again/3');
    run.done(5);
    expect(run.open()).toEqual([]);
  });
});

it('follows a task of any id whose events say that it is told elsewhere', () => {
  const event = (type: string, id: string, data: object) =>
    ({ type, data, stream: streamName('task', id) }) as RecordedEvent;
  const id = newId();
  expect(replies.correlate(event('TaskCreated', id, { alsoTold: [{ kind: 'slack', place: CHANNEL }] }))).toBe(id);
  expect(replies.correlate(event('TaskCompleted', id, { isAlsoTold: true }))).toBe(id);
  expect(replies.correlate(event('TaskCompleted', id, {}))).toBeNull();
});
