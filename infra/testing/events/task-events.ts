import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';

type Created = Extract<TaskEvent, { type: 'TaskCreated' }>;

/** A task's first event; what the test does not care about is plain. */
export const createdTask = (data: Partial<Created['data']> = {}): Created => ({
  type: 'TaskCreated',
  data: {
    title: 'Make it faster',
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

export const retitled = (title: string): TaskEvent => ({ type: 'TaskDetailsChanged', data: { title } });

export const newTaskStream = (): string => streamName('task', newId());

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
