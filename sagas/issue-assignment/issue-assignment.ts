import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { cancel, command, type Decision, type Effects, inputOf, request, type Saga, timer } from '../engine/saga.ts';

type Input = IssueEvent | Extract<AgentEvent, { type: 'AgentDeregistered' }>;

/** The issue, or the agent that left, and the offer that waits for an answer. */
export type IssueAssignmentState = {
  readonly id: string | null;
  readonly offer: { readonly round: number; readonly number: number } | null;
};

/** Read models, which tell what an agent that left was asked, are behind by less. */
const LEFT_AFTER_SECONDS = 2;

const INPUTS: ReadonlySet<string> = new Set([
  'IssueAssignmentRequested',
  'IssueOffered',
  'IssueOfferEnded',
  'AgentDeregistered',
]);
const GOES_ON: ReadonlySet<string> = new Set(['declined', 'expired', 'left']);

/**
 * Has agents asked, one after the other, whether they take an issue: an offer waits for its answer until its deadline. Who is asked,
 * and that nobody is asked twice, is the issue's own to decide.
 */
export const issueAssignment: Saga<IssueAssignmentState> = {
  name: 'issue-assignment',
  topics: ['task', 'agent'],
  correlate: ({ type, stream }: RecordedEvent) => (INPUTS.has(type) ? streamId(stream) : null),
  initial: { id: null, offer: null },
  evolve,
  react: (state, event, effects) => {
    if (event.type === 'SagaInputReceived') return onInput(event, effects);
    if (event.type === 'SagaEffectSucceeded') return onTimer(state, event.data.key);
    return [];
  },
};

function evolve(state: IssueAssignmentState, event: SagaEvent): IssueAssignmentState {
  if (event.type !== 'SagaInputReceived') return state;
  const input = inputOf<Input>(event);
  const id = streamId(event.data.source.stream);
  if (input.type === 'IssueOffered') return { id, offer: { round: input.data.round, number: input.data.number } };
  return { id, offer: input.type === 'IssueOfferEnded' ? null : state.offer };
}

function onInput(event: Extract<SagaEvent, { type: 'SagaInputReceived' }>, effects: Effects): readonly Decision[] {
  const input = inputOf<Input>(event);
  const { stream, revision } = event.data.source;
  const id = streamId(stream);
  switch (input.type) {
    case 'IssueAssignmentRequested':
      return [ask(id, input.data.round, 1)];
    case 'IssueOffered': {
      const { round, number, acceptWithinSeconds } = input.data;
      return [request(timer(`deadline/${round}/${number}`, acceptWithinSeconds))];
    }
    case 'IssueOfferEnded': {
      const { round, number, outcome } = input.data;
      const deadline = `deadline/${round}/${number}`;
      return [
        ...(effects.get(deadline)?.state === 'requested' ? [cancel(deadline)] : []),
        ...(GOES_ON.has(outcome) ? [ask(id, round, number + 1)] : []),
      ];
    }
    case 'AgentDeregistered':
      return [request(timer(`left/${revision}`, LEFT_AFTER_SECONDS))];
    default:
      return [];
  }
}

const ask = (issueId: string, round: number, number: number): Decision =>
  request(command(`offer/${round}/${number}`, 'issue.offer', issueId, { round, number }));

function onTimer({ id, offer }: IssueAssignmentState, key: string): readonly Decision[] {
  const [kind, first, second] = key.split('/');
  if (id === null) return [];
  if (kind === 'left') return [request(command(`leave/${first}`, 'agent.leave-issues', id, {}))];
  const isOpen = offer !== null && String(offer.round) === first && String(offer.number) === second;
  if (kind !== 'deadline' || !isOpen) return [];
  const { round, number } = offer;
  return [request(command(`expire/${first}/${second}`, 'issue.expire-offer', id, { round, number }))];
}
