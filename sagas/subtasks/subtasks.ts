import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { command, type Decision, inputOf, request, type Saga, timer } from '../engine/saga.ts';

type Input = Extract<TaskEvent, { type: 'TaskCancelled' }> | Extract<DependenciesEvent, { type: 'SubtasksAdded' }>;

/** The expansion of a task that its instance watches, and what of it may still be to do; null where it is about a cancellation. */
export type WatchedExpansion = { readonly taskId: string; readonly subtasks: readonly string[] } | null;

/** An expansion that is not over within this time was left half done. */
const EXPANDED_WITHIN_SECONDS = 30;
/** What is not there by then may still come, from a process that was frozen. */
const NO_LATER_THAN_SECONDS = 600;

/**
 * Finishes commands of several streams whose process was killed between two of them: the cancellation of a task that has parts or
 * is one, and the expansion of a task.
 */
export const subtasks: Saga<WatchedExpansion> = {
  name: 'subtasks',
  topics: ['task'],
  correlate,
  initial: null,
  evolve,
  react: (expansion, event) => {
    if (event.type === 'SagaInputReceived') return onInput(event);
    if (event.type === 'SagaEffectSucceeded' && expansion !== null) return onResult(expansion, event.data.key);
    return [];
  },
};

function evolve(state: WatchedExpansion, event: SagaEvent): WatchedExpansion {
  if (event.type === 'SagaEffectSucceeded' && event.data.key === 'give-up/1' && state !== null) {
    const { missing } = (event.data.result as { details: { missing: readonly string[] } }).details;
    return { ...state, subtasks: missing };
  }
  if (event.type !== 'SagaInputReceived') return state;
  const input = inputOf<Input>(event);
  return input.type === 'SubtasksAdded' ? input.data : state;
}

function correlate({ type, stream, data }: RecordedEvent): string | null {
  if (type === 'SubtasksAdded') return (data as { subtasks: readonly string[] }).subtasks[0] ?? null;
  if (type !== 'TaskCancelled') return null;
  const { parentId, hasSubtasks } = data as Extract<Input, { type: 'TaskCancelled' }>['data'];
  return parentId === undefined && hasSubtasks === undefined ? null : streamId(stream);
}

function onInput(event: Extract<SagaEvent, { type: 'SagaInputReceived' }>): readonly Decision[] {
  if (inputOf<Input>(event).type === 'SubtasksAdded') return [request(timer('look/1', EXPANDED_WITHIN_SECONDS))];
  const { stream, revision } = event.data.source;
  // A task that is retried can be cancelled again.
  return [request(command(`cancellation/${revision}`, 'task.finish-cancellation', streamId(stream), {}))];
}

const onResult = ({ taskId, subtasks: left }: NonNullable<WatchedExpansion>, key: string): readonly Decision[] => {
  const [step, number] = key.split('/');
  if (step === 'look')
    return [request(command(`give-up/${number}`, 'task.give-up-expansion', taskId, { subtasks: [...left] }))];
  return key === 'give-up/1' && left.length > 0 ? [request(timer('look/2', NO_LATER_THAN_SECONDS))] : [];
};
