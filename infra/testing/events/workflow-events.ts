import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { event, failureOf } from './made-up.ts';
import type { Random } from './random.ts';

const definitionOf = (random: Random) => ({
  name: `workflow ${random.below(99)}`,
  description: 'ünïcode',
  steps: [
    { kind: 'timer', id: 'rest', seconds: random.below(9) },
    { kind: 'command', id: 'make', command: 'task.create', after: ['rest'], data: { title: 'x' } },
  ],
});

/** What may happen to one workflow: versions, and its end. */
export const workflowHistory = (random: Random): DomainEvent[] => [
  ...Array.from({ length: 1 + random.below(3) }, (_, index) =>
    event('WorkflowDefined', {
      ...{ version: index + 1, definition: definitionOf(random), repository: random.pick(['r', null]) },
      definedBy: 'user:1',
    }),
  ),
  ...(random.chance(0.5) ? [event('WorkflowRetired', { retiredBy: 'user:1', reason: 'old' })] : []),
];

/** What may happen to one run of a workflow. */
export function workflowRunHistory(random: Random): DomainEvent[] {
  const of = {
    workflowId: newId(),
    parent: random.pick([null, { runId: newId(), step: 'sub', depth: 1 }]),
  };
  const entry = { step: 'w', round: 1, attempt: 1 };
  const seen = { id: newId(), type: 'TaskCompleted', stream: streamName('task', newId()), revision: 3, data: { n: 1 } };
  const ends = [
    event('WorkflowRunCompleted', { ...of, outputs: { n: random.below(9) } }),
    event('WorkflowRunFailed', { ...of, failure: failureOf(random), notUndone: ['make'] }),
    event('WorkflowRunCancelled', { ...of, reason: 'so', notUndone: [] }),
  ];
  return [
    event('WorkflowRunStarted', {
      ...{ ...of, version: 1, definition: definitionOf(random), inputs: { title: 'x' }, repository: null },
      startedBy: 'user:1',
      rights: { role: 'operator', teams: [], repositories: random.pick([null, ['r']]) },
    }),
    event('WorkflowRunWaitBegan', {
      ...{ ...entry, events: ['workledger.task.TaskCompleted'], of: random.pick([null, newId()]) },
      ...{ where: [{ field: '/n', equals: 1 }], repositories: null },
    }),
    event('WorkflowRunEventSeen', { ...entry, event: seen }),
    event('WorkflowRunPaused', { by: 'user:1', reason: 'lunch' }),
    event('WorkflowRunResumed', { by: 'user:1' }),
    event('WorkflowRunCancelAsked', { by: 'user:1', reason: 'so' }),
    random.pick(ends),
    ...(random.chance(0.5) ? [event('WorkflowRunRetried', { by: 'user:1', from: ['make'] }), random.pick(ends)] : []),
  ];
}
