import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, it } from 'vitest';
import type { ReplyRequest } from '../components/replies/reply.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { replies } from './replies.ts';

const ISSUE = 'acme/shop#12';
const THREAD = 'T1/C1/1.2';

/** A task with a source. */
function from(kind: string, reference: string) {
  const run = scenario(replies);
  const taskId = derivedId('task', kind);
  const task = (type: string, data: object) => run.receives('task', taskId, type, data);
  const asks = (id = newId(), approval: object | null = {}) => {
    run.receives('question', id, 'QuestionAsked', { taskId, repository: 'shop', approval, askedBy: 'agent:1' });
    return id;
  };
  const answers = (data: object, id = newId()) => {
    const said = { taskId, questionId: null, repository: 'shop', by: 'github:U1', isTrusted: true };
    run.receives('delivery', id, 'DeliveryAnswered', { ...said, ...data });
    return id;
  };
  const told = (number: number): ReplyRequest | undefined => {
    const effect = run.requested(`tell/${number}`);
    return effect?.kind === 'call' ? (effect.request as ReplyRequest) : undefined;
  };
  const done = (number: number) =>
    run.succeeds(`tell/${number}`, { outcome: 'written', id: `message-${number}`, state: null });
  task('TaskCreated', { repository: 'shop', source: { kind, reference, url: null } });
  return { ...run, taskId, task, asks, answers, told, done };
}

const fromIssue = () => from('github', ISSUE);
const fromElsewhere = () => from('slack', THREAD);

describe('a question about work that has a pull request on GitHub', () => {
  const url = 'https://github.com/acme/shop/pull/13';

  it('is asked there, and what was asked on the issue is told there to its end', () => {
    const run = fromIssue();
    const before = run.asks(newId(), null);
    expect(run.told(1)).toMatchObject({ place: ISSUE });
    run.done(1);
    run.task('TaskPullRequestOpened', { url });
    expect(run.told(2)).toMatchObject({ place: ISSUE, about: 'task', text: `Its pull request is open: ${url}` });
    run.done(2);
    run.asks();
    expect(run.told(3)).toMatchObject({ place: 'acme/shop#13', onPullRequest: true, isOpen: true });
    run.done(3);
    run.receives('question', before, 'QuestionAnswered', { taskId: run.taskId, choice: 'left', answeredBy: 'user:1' });
    expect(run.told(4)).toMatchObject({ place: ISSUE, known: 'message-1', isOpen: false });
    expect(run.told(4)).not.toHaveProperty('onPullRequest');
    run.done(4);
    const answered = (number: number, where: object, place: string): void => {
      const id = run.answers({ verb: 'approve', ...where });
      expect(run.requested(`answer/${id}`)).toMatchObject({ type: 'question.answer-delivery' });
      run.fails(`answer/${id}`, false, 'out-of-range: it is too late');
      expect(run.told(number)).toMatchObject({ place, to: 'U1' });
      run.done(number);
    };
    answered(5, { pullRequest: 13 }, 'acme/shop#13');
    answered(6, {}, ISSUE);
  });

  it('is asked there as well for a task from elsewhere, and who speaks there is told there', () => {
    const run = fromElsewhere();
    run.task('TaskPullRequestOpened', { url });
    run.done(1);
    const id = run.asks();
    const asked = (number: number) => run.requested(`tell/${number}`);
    expect(asked(2)).toMatchObject({ component: 'slack.tell', request: { place: THREAD, questionId: id } });
    run.done(2);
    expect(asked(3)).toMatchObject({
      ...{ component: 'github.tell', request: { place: 'acme/shop#13', questionId: id, onPullRequest: true } },
    });
    run.done(3);
    run.answers({ verb: 'approve', isTrusted: false, by: 'github:stranger', pullRequest: 13 });
    expect(asked(4)).toMatchObject({ component: 'github.tell', request: { place: 'acme/shop#13', to: 'stranger' } });
    run.done(4);
    run.receives('question', id, 'QuestionAnswered', { taskId: run.taskId, choice: 'approve', answeredBy: 'user:1' });
    expect(asked(5)).toMatchObject({ component: 'slack.tell', request: { known: 'message-2', isOpen: false } });
    run.done(5);
    expect(asked(6)).toMatchObject({ component: 'github.tell', request: { known: 'message-3', isOpen: false } });
  });

  it('is not answered on another that names the task, whoever speaks there', () => {
    const run = fromIssue();
    run.task('TaskPullRequestOpened', { url });
    run.done(1);
    run.asks();
    run.done(2);
    for (const isTrusted of [true, false]) {
      const id = run.answers({ verb: 'approve', pullRequest: 14, isTrusted });
      expect(run.requested(`answer/${id}`)).toBeUndefined();
    }
    expect(run.told(3)).toBeUndefined();
    const id = run.answers({ verb: 'approve', pullRequest: 13 });
    expect(run.requested(`answer/${id}`)).toMatchObject({ type: 'question.answer-delivery' });
  });

  it('is asked there for a task that came from nowhere, too, once there is one', () => {
    const run = scenario(replies);
    const taskId = newId();
    const ask = () => {
      const id = newId();
      const asked = { taskId, repository: 'shop', approval: {}, askedBy: 'saga:code-evolution' };
      run.receives('question', id, 'QuestionAsked', asked);
      return id;
    };
    const answer = (pullRequest: number) => {
      const said = { taskId, questionId: null, repository: 'shop', by: 'github:U1', isTrusted: true, verb: 'approve' };
      run.receives('delivery', newId(), 'DeliveryAnswered', { ...said, pullRequest });
    };
    ask();
    expect(run.keys()).toEqual([]);
    run.receives('task', taskId, 'TaskPullRequestOpened', { url });
    answer(14);
    expect(run.keys()).toEqual([]);
    answer(13);
    expect(run.requested('tell/1')).toMatchObject({
      request: { place: 'acme/shop#13', to: 'U1', text: expect.stringContaining('No single question is open') },
    });
    run.succeeds('tell/1', { outcome: 'written', id: '1', state: null });
    const id = ask();
    expect(run.requested('tell/2')).toMatchObject({
      component: 'github.tell',
      request: { place: 'acme/shop#13', repository: 'shop', taskId, questionId: id, onPullRequest: true },
    });
    answer(13);
    expect(run.keys().filter((key) => key.startsWith('answer/'))).toHaveLength(1);
    run.succeeds('tell/2', { outcome: 'written', id: '2', state: null });
    run.receives('task', taskId, 'TaskFailed', { failure: { reason: 'red' } });
    expect(run.open(), 'the pull request shows by itself how far it is').not.toContain('tell/3');
  });
});
