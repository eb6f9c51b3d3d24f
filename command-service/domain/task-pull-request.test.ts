import { given } from '@workledger/shared/aggregate/testing.ts';
import { describe, expect, it } from 'vitest';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { task } from './task.ts';

const claimId = newId();
const agentId = newId();
const created: TaskEvent = {
  type: 'TaskCreated',
  data: {
    ...{ title: 'Make it fast', description: '', priority: 3, labels: [], metadata: {}, capabilities: [] },
    ...{ repository: 'sample', dependencies: [], parentId: null, requester: null, assignee: null, complexity: null },
    source: { kind: 'api', reference: null, url: null },
  },
};
const claim = { claimId, agentId, runtime: 'command', leaseSeconds: 60, repository: 'sample' } as const;
const claimed: TaskEvent[] = [created, { type: 'TaskClaimed', data: claim }];
const opened: TaskEvent = { type: 'TaskPullRequestOpened', data: { claimId, number: 7, url: 'https://git/7' } };
const released: TaskEvent = { type: 'TaskClaimReleased', data: { claimId, agentId, reason: 'busy' } };

describe('the pull request of a task', () => {
  it('is noted by the run that opened it, once', () => {
    given(task, ...claimed)
      .when('task.note-pull-request', opened.data)
      .then(opened);
    given(task, ...claimed, opened)
      .when('task.note-pull-request', opened.data)
      .then();
    given(task, ...claimed, opened)
      .when('task.note-pull-request', { ...opened.data, number: 8 })
      .thenState(({ pullRequest }) => expect(pullRequest).toEqual({ number: 8, url: 'https://git/7' }));
  });
  it('is not noted by a run that lost the task', () => {
    given(task, ...claimed, opened, released)
      .when('task.note-pull-request', opened.data)
      .thenRefused('claim-mismatch');
  });
});

describe('what its host tells of a pull request', () => {
  it('is told to the run that waits for it', () => {
    given(task, ...claimed, opened)
      .when('task.notice-pull-request', {})
      .then({ type: 'TaskPullRequestNoticed', data: { claimId } });
  });
  it('is nothing where no run has one', () => {
    given(task, ...claimed)
      .when('task.notice-pull-request', {})
      .then();
    given(task, ...claimed, opened, released)
      .when('task.notice-pull-request', {})
      .then();
    given(task).when('task.notice-pull-request', {}).thenRefused('not-found');
  });
});

describe('what was merged', () => {
  const cancelled: TaskEvent = { type: 'TaskCancelled', data: { claimId, reason: 'its issue was closed' } };
  const submitted: TaskEvent = { type: 'TaskWorkSubmitted', data: { claimId, commit: 'c'.repeat(40), summary: null } };
  const before = [...claimed, submitted, cancelled];
  const result = {
    ...{ commit: 'c'.repeat(40), branch: 'workledger/x', merged: true, diffStat: null },
    ...{ metricsBefore: null, metricsAfter: null, costUsd: null, durationMs: 1 },
  };
  const anew: TaskEvent = { type: 'TaskRetried', data: { reason: 'once more' } };
  const other: TaskEvent = { type: 'TaskClaimed', data: { ...claim, claimId: agentId } };
  it.each([
    ['cancelled in that moment', before],
    ['cancelled, and is to be begun anew', [...before, anew]],
  ])('is done, though the task was %s', (_, events) => {
    given(task, ...events)
      .when('task.complete', { claimId, result })
      .then({ type: 'TaskCompleted', data: { claimId, parentId: null, result } });
  });
  it('is done, though it was sent back before somebody merged it', () => {
    const back: TaskEvent = { type: 'TaskSentBack', data: { claimId, reason: 'red', report: null } };
    given(task, ...claimed, submitted, back)
      .when('task.complete', { claimId, result })
      .then({ type: 'TaskCompleted', data: { claimId, parentId: null, result } });
    given(task, ...claimed, submitted, back)
      .when('task.complete', { claimId, result: { ...result, merged: false } })
      .thenRefused('illegal-transition');
  });
  it('is done, though the task was cancelled twice', () => {
    const again: TaskEvent = { type: 'TaskCancelled', data: { claimId: null, reason: 'really' } };
    given(task, ...before, anew, again)
      .when('task.complete', { claimId, result })
      .then({ type: 'TaskCompleted', data: { claimId, parentId: null, result } });
  });
  it.each([
    ['what was not', before, { claimId, result: { ...result, merged: false } }],
    ['what another claim made', before, { claimId: agentId, result }],
    ['a task that another took', [...before, anew, other], { claimId, result }],
  ])('is not %s', (_, events, data) => {
    given(task, ...events)
      .when('task.complete', data)
      .thenRefused('claim-mismatch');
  });
});
