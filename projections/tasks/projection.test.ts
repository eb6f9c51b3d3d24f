import { describe, expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf, commitOf, diffStat, failed } from '@workledger/infra/testing/events/history.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { tasks } from './projection.ts';

const id = newId();
const claimId = newId();
const agentId = newId();
const claim = { claimId, agentId };

const claimed: TaskEvent = {
  type: 'TaskClaimed',
  data: { ...claim, runtime: 'command', repository: null, leaseSeconds: 60 },
};
const submitted: TaskEvent = { type: 'TaskWorkSubmitted', data: { claimId, commit: commitOf('a'), summary: null } };
const result = {
  commit: commitOf('a'),
  branch: 'workledger/1',
  merged: true,
  diffStat,
  metricsBefore: { steps: 10 },
  metricsAfter: { steps: 2 },
  costUsd: null,
  durationMs: 1200,
};

const after = (...events: TaskEvent[]): TaskRow => {
  const row = foldAll<TaskRow>(tasks, history(streamName('task', id), [createdTask({}), ...events])).get(id);
  return row!;
};

describe('the tasks read model', () => {
  it('has what a task was created with', () => {
    const data = {
      title: 'Count pairs',
      description: 'It is slow',
      priority: 1,
      labels: ['workledger'],
      metadata: { team: 'a' },
      capabilities: ['code'],
      repository: 'sample',
      source: { kind: 'github' as const, reference: 'o/r#12', url: 'https://example.org/12' },
      requester: 'ada',
    };
    const [row] = foldAll<TaskRow>(tasks, history(streamName('task', id), [createdTask(data)])).values();
    const { source, ...same } = data;
    expect(row).toMatchObject({
      id,
      revision: 0,
      state: 'pending',
      ...same,
      createdAt: timeOf(0),
      waitingSince: timeOf(0),
    });
    expect(row).toMatchObject({ sourceKind: source.kind, sourceReference: source.reference, sourceUrl: source.url });
  });

  it('changes only the details that were given', () => {
    expect(after(retitled('New'))).toMatchObject({ title: 'New', priority: 3, revision: 1, updatedAt: timeOf(1) });
    expect(after({ type: 'TaskDetailsChanged', data: { labels: [], assignee: 'bob' } })).toMatchObject({
      title: 'Make it faster',
      assignee: 'bob',
    });
  });

  it('is in progress while it is claimed, and in validation once work was submitted', () => {
    expect(after(claimed)).toMatchObject({ state: 'in-progress', ...claim, leaseSeconds: 60, attempts: 1 });
    expect(after(claimed, submitted)).toMatchObject({ state: 'validation', submittedCommit: commitOf('a') });
  });

  it('goes back to work with the reason', () => {
    const sentBack: TaskEvent = { type: 'TaskSentBack', data: { claimId, reason: 'a test fails', report: null } };
    expect(after(claimed, submitted, sentBack)).toMatchObject({
      state: 'in-progress',
      sentBack: 1,
      reason: 'a test fails',
    });
  });

  it('waits again, as old as it is, when its claim was released or expired', () => {
    const waiting = {
      state: 'pending',
      claimId: null,
      agentId: null,
      claimedAt: null,
      waitingSince: timeOf(0),
      attempts: 1,
    };
    expect(after(claimed, { type: 'TaskClaimReleased', data: { ...claim, reason: 'busy' } })).toMatchObject(waiting);
    expect(after(claimed, { type: 'TaskClaimExpired', data: claim })).toMatchObject(waiting);
    const limit: TaskEvent = { type: 'TaskClaimReleased', data: { ...claim, reason: 'limit', limit: true } };
    expect(after(claimed, limit)).toMatchObject({ ...waiting, reason: 'limit', attempts: 0 });
  });

  it('shows progress of the current claim only', () => {
    const progress: TaskEvent = { type: 'TaskProgressReported', data: { claimId, note: 'half', percent: 50 } };
    expect(after(claimed, progress)).toMatchObject({ progressNote: 'half', progressPercent: 50 });
    expect(after(claimed, progress, { type: 'TaskClaimExpired', data: claim }, claimed)).toMatchObject({
      progressNote: null,
      attempts: 2,
    });
  });

  it('ends complete, failed or cancelled', () => {
    const complete: TaskEvent = { type: 'TaskCompleted', data: { claimId, parentId: null, result } };
    expect(after(claimed, submitted, complete)).toMatchObject({ state: 'complete', result, finishedAt: timeOf(3) });
    const failure = failed('tests fail');
    expect(after(claimed, { type: 'TaskFailed', data: { claimId, failure } })).toMatchObject({
      state: 'failed',
      failure,
    });
    expect(after({ type: 'TaskCancelled', data: { claimId: null, reason: 'closed' } })).toMatchObject({
      state: 'cancelled',
      reason: 'closed',
      finishedAt: timeOf(1),
    });
  });

  it('asks for an agent anew, from then on, when it is retried', () => {
    const failure: TaskEvent = { type: 'TaskFailed', data: { claimId, failure: failed('no') } };
    const retried: TaskEvent = { type: 'TaskRetried', data: { reason: 'again' } };
    expect(after(claimed, failure, retried)).toMatchObject({
      state: 'pending',
      failure: null,
      finishedAt: null,
      claimId: null,
      waitingSince: timeOf(3),
      createdAt: timeOf(0),
    });
  });

  it('names its subtasks once it is expanded', () => {
    const subtasks = [newId(), newId()];
    expect(after({ type: 'TaskExpanded', data: { subtasks } })).toMatchObject({ subtasks, state: 'pending' });
  });

  it('refuses an event of a task that was never created', () => {
    expect(() => foldAll(tasks, history(streamName('task', id), [claimed]))).toThrow('there is no row yet');
  });
});
