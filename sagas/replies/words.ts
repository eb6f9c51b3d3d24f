import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import { inputOf } from '../engine/saga.ts';
import {
  alsoToldAt,
  note,
  pullRequestOf,
  questionOf,
  safe,
  saidAt,
  type Due,
  type Input,
  type RepliesState,
} from './model.ts';

const MOST_CHARACTERS = 2_000;

type Received = Extract<SagaEvent, { type: 'SagaInputReceived' }>;

/** What is to be told of an input. @param state as it was before, but for what the input says of questions and of where people are */
export function newsOf(state: RepliesState, event: Received): readonly Due[] {
  if (state.from === null && state.also === null) return [];
  const input = inputOf<Input>(event);
  const id = streamId(event.data.source.stream);
  switch (input.type) {
    case 'QuestionAsked':
      return ofQuestion(state, id, headOf(input.data), true);
    case 'QuestionAnswered': {
      const { choice, answeredBy } = input.data;
      const said = choice === null ? 'Answered' : `Answered: ${choice}`;
      return ofQuestion(state, id, `${said}, by ${nameOf(answeredBy)}.`);
    }
    case 'QuestionDefaulted':
      return ofQuestion(state, id, `Nobody answered in time: ${input.data.choice ?? 'its default'} is the answer.`);
    case 'QuestionFailed':
      return ofQuestion(state, id, 'Nobody answered in time.');
    case 'QuestionWithdrawn':
      return ofQuestion(state, id, `No longer asked: ${foreignText(input.data.reason, MOST_CHARACTERS)}.`);
    case 'DeliveryAnswered': {
      if (state.from === null) return [];
      const { by, isTrusted } = input.data;
      const at = saidAt(state, input.data);
      if (!isTrusted) return once(state, note(`untrusted/${safe(by)}`, by, UNTRUSTED, at));
      return questionOf(state, input.data) === null ? [note(`unclear/${id}`, by, UNCLEAR, at)] : [];
    }
    default:
      return ofTask(state, input);
  }
}

const headOf = ({ approval, askedBy }: Extract<Input, { type: 'QuestionAsked' }>['data']): string =>
  approval !== null
    ? 'It waits for somebody to approve it:'
    : askedBy.startsWith('saga:')
      ? 'It waits for somebody to say how it goes on:'
      : 'Its agent asks:';

const UNTRUSTED = 'Only those who are trusted with this repository answer here: nothing was changed.';
const UNCLEAR = 'No single question is open that this could answer: nothing was changed.';

const once = ({ messages }: RepliesState, due: Due): readonly Due[] => (messages[due.about] === undefined ? [due] : []);

/** Persons by their names where they are known here, the rest by what they are. */
const nameOf = (actor: string): string =>
  /^(slack|linear|github):/.test(actor)
    ? actor.slice(actor.indexOf(':') + 1)
    : `a ${actor.split(':')[0] ?? 'person'} through the API`;

function ofQuestion(state: RepliesState, questionId: string, text: string, isOpen = false): readonly Due[] {
  const { places = [] } = state.questions[questionId] ?? {};
  const of = { to: null, questionId, stage: null };
  const [at] = places;
  const where = at === undefined ? 'through the API' : at.kind === 'slack' ? 'in its thread' : `on ${at.place}`;
  return [
    ...places.map((each, index) => ({
      ...{ about: `question/${questionId}${index === 0 ? '' : `/${each.kind}`}`, at: each },
      ...{ ...of, text, isOpen },
    })),
    // Only a note: it is answered where it is asked.
    ...alsoToldAt(state).map((each) => ({
      ...{ about: `question/${questionId}/${each.kind}`, at: each },
      ...{ ...of, text: isOpen ? text.replace(/:$/, `, ${where}:`) : text, isOpen: false },
    })),
  ];
}

function ofTask(state: RepliesState, input: Input): readonly Due[] {
  const { from, pullRequest } = state;
  const told = (stage: Due['stage'], text: string, reason?: string): readonly Due[] => {
    const isSaid = pullRequest === null || input.type === 'TaskPullRequestOpened';
    const of = { to: null, questionId: null, isOpen: false, stage };
    const due = {
      ...{ ...of, text: isSaid ? text : `${text}\nIts pull request: ${pullRequest}` },
      ...(reason !== undefined && { reason: foreignText(reason, MOST_CHARACTERS) }),
    };
    // Its pull request shows that by itself.
    const hasOwn = from !== null && from.place !== pullRequestOf(state)?.place;
    return [
      ...(hasOwn ? [{ ...due, about: 'task' }] : []),
      ...alsoToldAt(state).map((at) => ({ ...due, about: `task/${at.kind}`, at })),
    ];
  };
  switch (input.type) {
    case 'TaskClaimed':
      return told('started', 'An agent works on it.');
    case 'TaskPullRequestOpened':
      return told('review', `Its pull request is open: ${input.data.url}`);
    case 'TaskApprovalAsked':
      return told('review', 'Its work has passed its tests, and waits for somebody to approve it.');
    case 'TaskSentBack':
      return told('started', 'It was sent back, and its agent goes on.');
    case 'TaskRetried':
      return told('started', 'It is begun again.');
    case 'TaskCompleted': {
      const { merged, commit, costUsd } = input.data.result;
      const what = merged && commit !== null ? `It is done, and merged: ${commit}.` : 'It is done.';
      return told('done', costUsd === null ? what : `${what} It cost $${costUsd.toFixed(2)}.`);
    }
    case 'TaskFailed':
      return told('failed', 'It failed.', input.data.failure.reason);
    case 'TaskCancelled':
      return told('cancelled', 'It was cancelled.', input.data.reason);
    default:
      return [];
  }
}
