import { given } from '@workledger/shared/aggregate/testing.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { describe, it } from 'vitest';
import { task } from './task.ts';

const [claimId, agentId, questionId] = [newId(), newId(), newId()];
const commit = 'a'.repeat(40);
const plain: Extract<TaskEvent, { type: 'TaskCreated' }> = {
  type: 'TaskCreated',
  data: {
    ...{ title: 'Make it fast', description: '', priority: 3, labels: [], metadata: {}, capabilities: [] },
    ...{ repository: null, dependencies: [], parentId: null, requester: null, assignee: null, complexity: null },
    source: { kind: 'api', reference: null, url: null },
  },
};
const created: TaskEvent = { ...plain, data: { ...plain.data, alsoTold: [{ kind: 'slack', place: 'C0123ABCD' }] } };
const claimed = {
  type: 'TaskClaimed',
  data: { claimId, agentId, runtime: 'command', leaseSeconds: 60, repository: null },
} as const;
const submitted = { type: 'TaskWorkSubmitted', data: { claimId, commit, summary: null } } as const;
const cancelled = { type: 'TaskCancelled', data: { claimId: null, reason: 'no' } } as const;
const told = { isAlsoTold: true } as const;

describe('of a task that is told elsewhere, too, it is said', () => {
  it('that it waits for its approval, is sent back, and failed', () => {
    const work = given(task, created, claimed, submitted);
    const asked = { claimId, questionId, commit };
    work.when('task.await-approval', asked).then({ type: 'TaskApprovalAsked', data: { ...asked, ...told } });
    const back = { claimId, reason: 'red', report: null };
    work.when('task.send-back', back).then({ type: 'TaskSentBack', data: { ...back, ...told } });
    const failure = { step: 'work', reason: 'red', command: null, exitCode: null, lastLines: [], log: null };
    work.when('task.fail', { claimId, failure }).then({ type: 'TaskFailed', data: { claimId, failure, ...told } });
  });

  it('that it was cancelled, and is begun again', () => {
    given(task, created)
      .when('task.cancel', { reason: 'no' })
      .then({ ...cancelled, data: { ...cancelled.data, ...told } });
    given(task, created, cancelled)
      .when('task.retry', { reason: 'yes' })
      .then({ type: 'TaskRetried', data: { reason: 'yes', ...told } });
  });

  it('and of no other', () => {
    given(task, plain, cancelled)
      .when('task.retry', { reason: 'yes' })
      .then({ type: 'TaskRetried', data: { reason: 'yes' } });
  });
});
