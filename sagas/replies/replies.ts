import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { isDerived, streamId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { ResultOf } from '../components/catalogue.ts';
import type { ReplyRequest } from '../components/replies/reply.ts';
import { cancel, command, type Decision, inputOf, request, type Saga, timer } from '../engine/saga.ts';
import {
  isElsewhere,
  kindOf,
  pullRequestOf,
  questionOf,
  whereOf,
  type Due,
  type Input,
  type Kind,
  type RepliesState,
} from './model.ts';
import { evolve, initial, isTelling } from './state.ts';

/** Tells people where their task came from what becomes of it, asks its questions there, and takes the answers. One instance a task. */
export const replies: Saga<RepliesState> = {
  name: 'replies',
  topics: ['sync', 'task'],
  correlate,
  initial,
  evolve,
  react: (state, event) => {
    switch (event.type) {
      case 'SagaInputReceived':
        return [...look(state, event), ...answer(state, event), ...tellNext(state)];
      case 'SagaEffectSucceeded':
        return [...end(state, event.data), ...tellNext(state)];
      case 'SagaEffectFailed':
        return [...(isTelling(event.data.key) ? [...waitAndTry(state), ...park(state)] : []), ...tellNext(state)];
      default:
        return [];
    }
  },
};

const TASK_INPUTS: ReadonlySet<string> = new Set([
  'TaskCreated',
  'TaskClaimed',
  'TaskPullRequestOpened',
  'TaskApprovalAsked',
  'TaskSentBack',
  'TaskRetried',
  'TaskCompleted',
  'TaskFailed',
  'TaskCancelled',
]);
const QUESTION_INPUTS: ReadonlySet<string> = new Set([
  'QuestionAsked',
  'QuestionAnswered',
  'QuestionDefaulted',
  'QuestionFailed',
  'QuestionWithdrawn',
]);

function correlate({ type, stream, data }: RecordedEvent): string | null {
  const taskId = taskOf(type, stream, data);
  // What came from an issue or a thread has the id that is made of it; what did not may get a pull request to speak on.
  return taskId !== null &&
    (isDerived(taskId) || type === 'TaskPullRequestOpened' || !TASK_INPUTS.has(type) || isAlsoTold(data))
    ? taskId
    : null;
}

function isAlsoTold(data: unknown): boolean {
  const { alsoTold, isAlsoTold } = data as { readonly alsoTold?: unknown; readonly isAlsoTold?: unknown };
  return alsoTold !== undefined || isAlsoTold !== undefined;
}

function taskOf(type: string, stream: string, data: unknown): string | null {
  if (TASK_INPUTS.has(type)) return streamId(stream);
  if (QUESTION_INPUTS.has(type) || type === 'DeliveryAnswered') return (data as { taskId: string | null }).taskId;
  return null;
}

type Received = Extract<SagaEvent, { type: 'SagaInputReceived' }>;

/** A comment does not say whether its issue is open: Linear is asked when the work is about to begin. */
function look({ from }: RepliesState, event: Received): readonly Decision[] {
  if (from?.kind !== 'linear' || inputOf<Input>(event).type !== 'TaskCreated') return [];
  const { taskId, repository, place } = from;
  const asked = { taskId, runId: taskId, repository, place };
  const call = { kind: 'call', key: 'look', component: 'linear.look', timeoutSeconds: CALL_SECONDS } as const;
  return [request({ ...call, request: asked })];
}

type Succeeded = Extract<SagaEvent, { type: 'SagaEffectSucceeded' }>['data'];

function end({ from }: RepliesState, { key, result }: Succeeded): readonly Decision[] {
  const { isOpen, state } = result as Partial<ResultOf<'linear.look'>>;
  if (key !== 'look' || from === null || isOpen !== false) return [];
  const reason = `its issue is ${state ?? 'closed'} in Linear`;
  return [request(command('end', 'task.cancel', from.taskId, { reason }))];
}

/** The words of an answer stay in its delivery, where who decides reads them. */
function answer(state: RepliesState, event: Received): readonly Decision[] {
  const input = inputOf<Input>(event);
  if (input.type !== 'DeliveryAnswered' || !input.data.isTrusted || state.from?.repository !== input.data.repository)
    return [];
  if (isElsewhere(state, input.data)) return [];
  const questionId = questionOf(state, input.data);
  const deliveryId = streamId(event.data.source.stream);
  return questionId === null
    ? []
    : [request(command(`answer/${deliveryId}`, 'question.answer-delivery', questionId, { deliveryId }))];
}

const CALL_SECONDS = 600;
const FIRST_SECONDS = 5;
const MOST_SECONDS = 600;

/** One thing at a time, in the order in which they came. */
function tellNext(state: RepliesState): readonly Decision[] {
  const { due, telling, count, waits, untold } = state;
  const [next] = due;
  if (next === undefined || telling !== null || waits[kindOf(state, next)] !== undefined) return [];
  const before = untold[next.about];
  return [...(before === undefined ? [] : [cancel(before)]), ...call(`tell/${count + 1}`, state, next)];
}

/** What cannot be told is seen under what is parked, and told once somebody has mended that and asks for it; what is news by then is told in its stead. */
const park = (state: RepliesState): readonly Decision[] =>
  state.lost === null ? [] : call(`untold/${state.count}`, state, state.lost, { parksFailure: true });

function call(
  key: string,
  state: RepliesState,
  due: Due,
  how: { readonly parksFailure?: true } = {},
): readonly Decision[] {
  const { from, also, messages, issueState, pullRequest } = state;
  const of = from ?? also;
  const where = whereOf(state, due);
  if (of === null || where === null) return [];
  const { taskId, repository } = of;
  const { at: _, ...told } = due;
  const asked: ReplyRequest = {
    ...{ ...told, ...where, repository, taskId, runId: taskId },
    ...(where.place === pullRequestOf({ pullRequest })?.place && { onPullRequest: true }),
    ...{ known: messages[due.about] ?? null, state: issueState },
  };
  return [
    request({
      ...{ kind: 'call', key, component: `${kindOf(state, due)}.tell`, timeoutSeconds: CALL_SECONDS },
      ...{ request: asked, ...how },
    }),
  ];
}

function waitAndTry({ count, failures, waits }: RepliesState): readonly Decision[] {
  const [kind] = Object.entries(waits).find(([, call]) => call === count) ?? [];
  if (kind === undefined) return [];
  const seconds = Math.min(MOST_SECONDS, FIRST_SECONDS * 2 ** ((failures[kind as Kind] ?? 1) - 1));
  return [request(timer(`again/${count}`, seconds))];
}
