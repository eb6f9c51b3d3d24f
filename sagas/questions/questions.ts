import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { cancel, command, type Decision, type Effects, inputOf, request, type Saga, timer } from '../engine/saga.ts';

type Input = QuestionEvent | TaskEvent;

export type QuestionsState = {
  /** How the task of these questions has ended; null: it has not, or was retried. */
  readonly taskEnded: 'complete' | 'failed' | 'cancelled' | null;
  /** The deadline of each that is open, ISO 8601; null: it has none. */
  readonly open: Readonly<Record<string, string | null>>;
};

/** Ends the questions that nobody has answered: at their deadline, and when their task ends. One instance a task. */
export const questions: Saga<QuestionsState> = {
  name: 'questions',
  topics: ['task'],
  correlate,
  initial: { taskEnded: null, open: {} },
  evolve,
  react: (state, event, effects, now) => {
    if (event.type === 'SagaInputReceived') return onInput(state, event, effects, now);
    return event.type === 'SagaEffectSucceeded' ? onResult(state, event.data, now) : [];
  },
};

const ENDS = { TaskCompleted: 'complete', TaskFailed: 'failed', TaskCancelled: 'cancelled' } as const;

function correlate({ type, stream, data }: RecordedEvent): string | null {
  if (type in ENDS || type === 'TaskRetried') return streamId(stream);
  if (!type.startsWith('Question')) return null;
  return (data as { taskId: string | null }).taskId ?? streamId(stream);
}

function evolve(state: QuestionsState, event: SagaEvent): QuestionsState {
  if (event.type !== 'SagaInputReceived') return state;
  const input = inputOf<Input>(event);
  const id = streamId(event.data.source.stream);
  switch (input.type) {
    case 'TaskCompleted':
    case 'TaskFailed':
    case 'TaskCancelled':
      return { ...state, taskEnded: ENDS[input.type] };
    case 'TaskRetried':
      return { ...state, taskEnded: null };
    case 'QuestionAsked':
      return { ...state, open: { ...state.open, [id]: input.data.deadline?.at ?? null } };
    case 'QuestionAnswered':
    case 'QuestionDefaulted':
    case 'QuestionFailed':
    case 'QuestionWithdrawn': {
      const { [id]: _, ...open } = state.open;
      return { ...state, open };
    }
    default:
      return state;
  }
}

type Received = Extract<SagaEvent, { type: 'SagaInputReceived' }>;

function onInput(state: QuestionsState, event: Received, effects: Effects, now: Date): readonly Decision[] {
  const input = inputOf<Input>(event);
  const id = streamId(event.data.source.stream);
  switch (input.type) {
    case 'TaskCompleted':
    case 'TaskFailed':
    case 'TaskCancelled':
      return Object.keys(state.open).flatMap((each) => withdraw(state, each, effects));
    case 'QuestionAsked':
      return state.taskEnded === null ? watch(state, id, 1, now) : withdraw(state, id, effects);
    case 'QuestionAnswered':
    case 'QuestionDefaulted':
    case 'QuestionFailed':
    case 'QuestionWithdrawn':
      return stopWatching(id, effects);
    default:
      return [];
  }
}

function withdraw({ taskEnded }: QuestionsState, id: string, effects: Effects): readonly Decision[] {
  if (effects.has(`withdraw/${id}`)) return [];
  const reason = `its task is ${taskEnded}`;
  return [...stopWatching(id, effects), request(command(`withdraw/${id}`, 'question.withdraw', id, { reason }))];
}

const stopWatching = (id: string, effects: Effects): readonly Decision[] =>
  [...effects]
    .filter(([key, { state }]) => key.startsWith(`deadline/${id}/`) && state === 'requested')
    .map(([key]) => cancel(key));

/** Looks at the deadline, by number from 1. */
function watch({ open }: QuestionsState, id: string, number: number, now: Date): readonly Decision[] {
  const at = open[id];
  if (at === undefined || at === null) return [];
  const seconds = Math.max(0, Date.parse(at) - now.getTime()) / 1_000;
  return [request(timer(`deadline/${id}/${number}`, seconds))];
}

type Succeeded = Extract<SagaEvent, { type: 'SagaEffectSucceeded' }>['data'];

function onResult(state: QuestionsState, { key, result }: Succeeded, now: Date): readonly Decision[] {
  const [kind, id = '', number = '1'] = key.split('/');
  const at = state.open[id];
  if (at === undefined || at === null) return [];
  if (kind === 'deadline') return [request(command(`meet/${id}/${number}`, 'question.meet-deadline', id, { at }))];
  // The clock that set it is behind the one that woke this.
  const { dueAt } = (result as { details?: { dueAt?: string } } | null)?.details ?? {};
  return kind === 'meet' && dueAt !== undefined ? watch(state, id, Number(number) + 1, now) : [];
}
