import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { expect, it } from 'vitest';
import { because } from '../engine/component.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { issueTask } from './issue-task.ts';

function turned() {
  const run = scenario(issueTask);
  const [issueId, taskId] = [newId(), newId()];
  run.receives('issue', issueId, 'IssueTurnedIntoTask', { taskId });
  const task = (type: string, data: object = {}) => run.receives('task', taskId, type, { ...data, issueId });
  return { ...run, issueId, taskId, task };
}

it('makes the task', () => {
  const run = turned();
  run.receivesAgain();
  expect(run.open()).toEqual([`create/${run.taskId}`]);
  expect(run.requested(`create/${run.taskId}`)).toMatchObject({
    ...{ type: 'task.create-from-issue', target: run.taskId, data: { issueId: run.issueId } },
  });
});

it('tells the issue what became of its task', () => {
  const run = turned();
  run.succeeds(`create/${run.taskId}`);
  const told = (number: number) => (run.requested(`follow/${number}`) as { data: unknown } | undefined)?.data;
  run.task('TaskClaimed');
  expect(run.requested('follow/1')).toMatchObject({ type: 'issue.follow-task', target: run.issueId });
  expect(told(1)).toEqual({ taskId: run.taskId, became: 'started', reason: null });
  run.succeeds('follow/1');
  run.task('TaskFailed', { failure: because('work', 'red') });
  expect(told(2)).toEqual({ taskId: run.taskId, became: 'failed', reason: 'red' });
  run.succeeds('follow/2');
  run.task('TaskCancelled', { reason: 'no need' });
  expect(told(3)).toEqual({ taskId: run.taskId, became: 'cancelled', reason: 'no need' });
  run.succeeds('follow/3');
  run.task('TaskCompleted');
  expect(told(4)).toEqual({ taskId: run.taskId, became: 'complete', reason: null });
});

it('tells one thing at a time, and then the newest', () => {
  const run = turned();
  run.task('TaskClaimed');
  run.task('TaskFailed', { failure: because('work', 'red') });
  run.task('TaskCompleted');
  expect(run.open()).toEqual([`create/${run.taskId}`, 'follow/1']);
  run.succeeds('follow/1');
  expect(run.requested('follow/2')).toMatchObject({ data: { became: 'complete' } });
  run.succeeds('follow/2');
  expect(run.open()).toEqual([`create/${run.taskId}`]);
});

it('tells that a task could not be made', () => {
  const run = turned();
  run.fails(`create/${run.taskId}`, false, 'no such repository');
  expect(run.requested('follow/1')).toMatchObject({
    data: { taskId: run.taskId, became: 'failed', reason: 'it could not be made: no such repository' },
  });
});

it('passes over tasks that no issue follows', () => {
  const event = (type: string, data: object) => ({ type, data, stream: streamName('task', newId()) }) as RecordedEvent;
  expect(issueTask.correlate(event('TaskClaimed', {}))).toBeNull();
  expect(issueTask.correlate(event('TaskProgressReported', { issueId: newId() }))).toBeNull();
});
