import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { isDerived, streamId } from '@workledger/shared/contexts/stream.ts';
import { ANSWERED_BEFORE, type QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { ReplyRequest, ReplyResult } from '../components/replies/reply.ts';
import { inputOf } from '../engine/saga.ts';
import {
  isElsewhere,
  kindOf,
  note,
  placesOfQuestions,
  pullRequestOf,
  questionOf,
  safe,
  saidAt,
  type Answered,
  type Due,
  type Input,
  type Kind,
  type RepliesState,
} from './model.ts';
import { newsOf } from './words.ts';

export const initial: RepliesState = {
  ...{ from: null, pullRequest: null, also: null, due: [], telling: null, count: 0, failures: {}, waits: {} },
  ...{ messages: {}, lost: null, untold: {}, issueState: null, questions: {}, late: [], answers: {} },
};

const KINDS: ReadonlySet<string> = new Set(['github', 'linear', 'slack'] satisfies Kind[]);

export function evolve(state: RepliesState, event: SagaEvent): RepliesState {
  switch (event.type) {
    case 'SagaInputReceived':
      return received(state, event);
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      if (effect.kind !== 'call') return state;
      const { about } = effect.request as ReplyRequest;
      if (isParked(effect.key)) return { ...state, lost: null, untold: { ...state.untold, [about]: effect.key } };
      if (!isTelling(effect.key)) return state;
      const telling = state.due.find((each) => each.about === about) ?? state.due[0] ?? null;
      const due = state.due.filter((each) => each !== telling);
      return { ...state, telling, lost: null, due, count: state.count + 1 };
    }
    case 'SagaEffectSucceeded': {
      const { key, result } = event.data;
      if (key.startsWith('again/'))
        return othersFirst({ ...state, waits: without(state.waits, Number(key.split('/')[1])) });
      if (isParked(key)) return toldAfterAll(state, key, result as ReplyResult);
      return isTelling(key) ? told(state, result as ReplyResult) : state;
    }
    case 'SagaEffectCancelled':
      return { ...state, untold: without(state.untold, event.data.key) };
    case 'SagaEffectFailed': {
      const { key, retryable, failure } = event.data;
      if (key.startsWith('answer/')) return refusedAnswer(state, key.slice('answer/'.length), failure.reason);
      if (!isTelling(key) || state.telling === null) return state;
      const { telling, count } = state;
      const kind = kindOf(state, telling);
      const failures = (state.failures[kind] ?? 0) + 1;
      const isAgain = !state.due.some(({ about }) => about === telling.about);
      if (!retryable || failures > MOST_FAILURES)
        return {
          ...{ ...state, telling: null, lost: isAgain ? telling : null },
          failures: { ...state.failures, [kind]: 0 },
        };
      return othersFirst({
        ...state,
        telling: null,
        due: isAgain ? [telling, ...state.due] : state.due,
        failures: { ...state.failures, [kind]: failures },
        waits: { ...state.waits, [kind]: count },
      });
    }
    default:
      return state;
  }
}

function received(before: RepliesState, event: Received): RepliesState {
  const input = inputOf<Input>(event);
  const isSaid = input.type === 'QuestionAsked' || input.type === 'DeliveryAnswered';
  const state = isSaid ? { ...before, from: before.from ?? fromPullRequest(before, input.data) } : before;
  if (input.type === 'DeliveryAnswered' && isElsewhere(state, input.data)) return before;
  const learned = learn(state, event);
  const { from, also, pullRequest } = learned;
  const { questions } = input.type === 'QuestionAsked' ? learned : state;
  return tellLate(newsOf({ ...state, from, also, pullRequest, questions }, event).reduce(withDue, learned));
}

/** For some hours; what is news by then is told anew. */
const MOST_FAILURES = 40;

export const isTelling = (key: string): boolean => key.startsWith('tell/');
const isParked = (key: string): boolean => key.startsWith('untold/');

function withDue(state: RepliesState, news: Due): RepliesState {
  const isThere = state.due.some(({ about }) => about === news.about);
  const due = isThere ? state.due.map((each) => (each.about === news.about ? news : each)) : [...state.due, news];
  return othersFirst({ ...state, due });
}

/** What waits for a server lets by what is told elsewhere. */
function othersFirst(state: RepliesState): RepliesState {
  const isWaiting = (due: Due): boolean => state.waits[kindOf(state, due)] !== undefined;
  return { ...state, due: [...state.due.filter((due) => !isWaiting(due)), ...state.due.filter(isWaiting)] };
}

/** Of calls by what they are about: without this one. */
const without = <Call>(calls: Readonly<Record<string, Call>>, call: Call): Readonly<Record<string, Call>> =>
  Object.fromEntries(Object.entries(calls).filter(([, each]) => each !== call));

function toldAfterAll(state: RepliesState, key: string, { id, state: issueState }: ReplyResult): RepliesState {
  const [about] = Object.entries(state.untold).find(([, each]) => each === key) ?? [];
  return {
    ...{ ...state, untold: without(state.untold, key), issueState: issueState ?? state.issueState },
    messages: id === null || about === undefined ? state.messages : { ...state.messages, [about]: id },
  };
}

function told(state: RepliesState, { id, state: issueState }: ReplyResult): RepliesState {
  const { telling, messages, failures } = state;
  if (telling === null) return state;
  return {
    ...state,
    ...{ telling: null, issueState: issueState ?? state.issueState },
    failures: { ...failures, [kindOf(state, telling)]: 0 },
    messages: id === null ? messages : { ...messages, [telling.about]: id },
  };
}

type Received = Extract<SagaEvent, { type: 'SagaInputReceived' }>;

function learn(state: RepliesState, event: Received): RepliesState {
  const input = inputOf<Input>(event);
  const id = streamId(event.data.source.stream);
  switch (input.type) {
    case 'TaskCreated': {
      const { source, repository, alsoTold } = input.data;
      if (repository === null) return state;
      const task = { taskId: id, repository };
      const also = alsoTold === undefined ? null : { ...task, places: alsoTold };
      if (!KINDS.has(source.kind) || source.reference === null) return { ...state, also };
      return { ...state, also, from: { ...task, kind: source.kind as Kind, place: source.reference } };
    }
    case 'TaskPullRequestOpened':
      return { ...state, pullRequest: input.data.url };
    case 'QuestionAsked': {
      const places = placesOfQuestions(state);
      if (places.length === 0) return state;
      const asked = { isOpen: true, isApproval: input.data.approval !== null, by: null, choice: null, places };
      return { ...state, questions: { ...state.questions, [id]: asked } };
    }
    case 'QuestionAnswered':
      return close(state, id, input.data.answeredBy, input.data.choice);
    case 'QuestionDefaulted':
    case 'QuestionFailed':
    case 'QuestionWithdrawn':
      return close(state, id, null, null);
    case 'DeliveryAnswered': {
      const questionId = questionOf(state, input.data);
      if (!input.data.isTrusted || questionId === null) return state;
      const said = { by: input.data.by, questionId, choice: choiceOf(input.data), at: saidAt(state, input.data) };
      return { ...state, answers: { ...state.answers, [id]: said } };
    }
    default:
      return state;
  }
}

/** Of a task that came from nowhere: people are where its work is. */
function fromPullRequest(state: RepliesState, { taskId, repository }: Said): RepliesState['from'] {
  const pull = pullRequestOf(state);
  return pull === undefined || taskId === null || repository === null || isDerived(taskId)
    ? null
    : { taskId, repository, ...pull };
}
type Said = Pick<Extract<QuestionEvent, { type: 'QuestionAsked' }>['data'], 'taskId' | 'repository'>;

function close(state: RepliesState, id: string, by: string | null, choice: string | null): RepliesState {
  const before = state.questions[id];
  return before === undefined
    ? state
    : { ...state, questions: { ...state.questions, [id]: { ...before, isOpen: false, by, choice } } };
}

/** Null: it stands in the words. */
const choiceOf = ({ choice, verb }: Answered): string | null => choice ?? (verb === 'answer' ? null : verb);

function refusedAnswer(state: RepliesState, deliveryId: string, reason: string): RepliesState {
  const answer = state.answers[deliveryId];
  if (answer === undefined) return state;
  // A refusal's code comes before its words.
  if (reason.startsWith('already-answered')) return tellLate({ ...state, late: [...state.late, deliveryId] });
  const why = `That changes nothing: ${reason.replace(/^[a-z-]+: /, '')}.`;
  return withDue(state, note(`refused/${deliveryId}`, answer.by, why, answer.at));
}

/** Who comes late is told once that it was answered; who pressed twice is not told that they did. */
function tellLate(state: RepliesState): RepliesState {
  return state.late.reduce((before: RepliesState, deliveryId) => {
    const { by = '', questionId = '', choice = null, at } = before.answers[deliveryId] ?? {};
    const standing = before.questions[questionId];
    if (standing?.isOpen === true) return before;
    const after = { ...before, late: before.late.filter((each) => each !== deliveryId) };
    const isTwice = standing?.by === by && (choice ?? standing.choice) === standing.choice;
    const about = `late/${questionId}/${safe(by)}`;
    if (isTwice || before.messages[about] !== undefined) return after;
    return withDue(after, note(about, by, `That changes nothing: ${ANSWERED_BEFORE}.`, at));
  }, state);
}
