import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';

type Created = Extract<TaskEvent, { type: 'TaskCreated' }>;

/** A task's first event; what the test does not care about is plain. */
export const createdTask = (data: Partial<Created['data']>): Created => ({
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
