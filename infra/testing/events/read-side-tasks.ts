import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';

type Created = Extract<TaskEvent, { type: 'TaskCreated' }>['data'];

export const newTaskStream = (): string => streamName('task', newId());

/** A task's first event; what the test does not care about is plain. */
export const created = (data: Partial<Created> = {}): TaskEvent => ({
  type: 'TaskCreated',
  data: {
    title: 'A task',
    description: '',
    priority: 3,
    labels: [],
    metadata: {},
    capabilities: [],
    repository: null,
    dependencies: [],
    parentId: null,
    source: { kind: 'api', reference: null, url: null },
    requester: null,
    assignee: null,
    complexity: null,
    ...data,
  },
});

export const cancelled: TaskEvent = { type: 'TaskCancelled', data: { claimId: null, reason: 'not needed' } };

export const completed: TaskEvent = {
  type: 'TaskCompleted',
  data: {
    claimId: null,
    parentId: null,
    result: {
      commit: null,
      branch: null,
      merged: false,
      diffStat: null,
      metricsBefore: null,
      metricsAfter: null,
      costUsd: null,
      durationMs: 0,
    },
  },
};
