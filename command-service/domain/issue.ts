import type { Aggregate, DecisionContext } from '@workledger/shared/aggregate/aggregate.ts';
import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { issueCommands } from '@workledger/shared/contexts/task/issue/commands.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import {
  issueFold,
  type IssueDetails,
  type IssueState,
  type IssueStatus,
  type Offer,
} from '@workledger/shared/contexts/task/issue/state.ts';

type Commands = DataOf<typeof issueCommands>;
type OfferEnd = Extract<IssueEvent, { type: 'IssueOfferEnded' }>['data']['outcome'];
type RoundEnd = Extract<IssueEvent, { type: 'IssueAssignmentEnded' }>['data']['outcome'];

/** Commands that look at other streams, too, come here as the part that concerns the issue. */
export type IssueDecisions = Omit<Commands, 'issue.assign' | 'issue.turn-into-task' | 'issue.offer'> & {
  'issue.assign': { assignee: string };
  'issue.ask': { acceptWithinSeconds: number };
  'issue.offer': { round: number; number: number; agentId: string };
  'issue.end-round': { round: number; number: number };
  /** Its agent was deregistered. */
  'issue.leave': { agentId: string };
  /** `ended`: what it was turned into before has ended, as the log has it. */
  'issue.turn-into-task': { taskId: string; ended: boolean };
};

/**
 * What somebody wants done or mended: open → in progress → resolved → closed, and reopened. Who is asked to take it is decided here, in
 * one stream: so at most one agent is asked at a time, and none twice in a round.
 */
export const issue: Aggregate<IssueState, IssueEvent, IssueDecisions> = {
  ...issueFold,
  decisions: {
    'issue.create': (data, { status }, { actor }) => {
      if (status !== 'missing') refuse('already-exists', 'this issue exists already', { status });
      return [{ type: 'IssueReported', data: { ...data, reporter: actor } }];
    },
    'issue.change': (data, state) => {
      only(state, 'be changed', 'open', 'in-progress', 'resolved');
      const changed = Object.entries(data).filter(
        ([name, value]) =>
          value !== undefined && canonicalJson(value) !== canonicalJson(state.details[name as keyof IssueDetails]),
      );
      return changed.length === 0 ? [] : [{ type: 'IssueDetailsChanged', data: Object.fromEntries(changed) }];
    },
    'issue.update': (wanted, state, context) => {
      only(state, 'be changed', 'open', 'in-progress', 'resolved', 'closed');
      const events: IssueEvent[] = [];
      for (const step of stepsTo(wanted)) events.push(...step(events.reduce(issueFold.evolve, state), context));
      return events;
    },
    'issue.assign': ({ assignee }, state) => {
      only(state, 'be assigned', 'open', 'in-progress');
      if (state.assignee === assignee) return [];
      return [...endRound(state, 'withdrawn', 'it was assigned'), { type: 'IssueAssigned', data: { assignee } }];
    },
    'issue.ask': ({ acceptWithinSeconds }, state) => {
      only(state, 'be offered', 'open');
      if (state.assignee !== null)
        refuse('illegal-transition', 'this issue is assigned: unassign it first', { assignee: state.assignee });
      if (state.round !== null) return [];
      const round = state.rounds + 1;
      return [{ type: 'IssueAssignmentRequested', data: { round, acceptWithinSeconds } }];
    },
    'issue.unassign': ({ reason }, state) => {
      only(state, 'be unassigned', 'open', 'in-progress');
      const asked = endRound(state, 'withdrawn', reason);
      const { assignee } = state;
      return assignee === null ? asked : [...asked, { type: 'IssueUnassigned', data: { assignee, reason } }];
    },
    'issue.offer': ({ round, number, agentId }, state) => {
      const current = isNext(state, round, number);
      if (current === null || current.asked.includes(agentId)) return [];
      const { acceptWithinSeconds } = current;
      return [{ type: 'IssueOffered', data: { round, number, agentId, acceptWithinSeconds } }];
    },
    'issue.end-round': ({ round, number }, state) => {
      const current = isNext(state, round, number);
      if (current === null) return [];
      return endRound(state, current.asked.length === 0 ? 'nobody-can' : 'nobody-accepted', null);
    },
    'issue.accept': (_, state, context) => {
      const offer = offered(state, context);
      return [
        ...endOffer(state, offer, 'accepted', null),
        ...endRound({ ...state, round: state.round && { ...state.round, offer: null } }, 'accepted', null),
        { type: 'IssueAssigned', data: { assignee: `agent:${offer.agentId}` } },
      ];
    },
    'issue.decline': ({ reason }, state, context) => endOffer(state, offered(state, context), 'declined', reason),
    'issue.expire-offer': ({ round, number }, state) => {
      const { offer = null, number: current } = state.round ?? { number: 0 };
      return offer !== null && current === round && offer.number === number
        ? endOffer(state, offer, 'expired', null)
        : [];
    },
    'issue.leave': ({ agentId }, state) => {
      const reason = 'its agent was deregistered';
      const offer = state.round?.offer ?? null;
      if (offer?.agentId === agentId) return endOffer(state, offer, 'left', reason);
      const assignee = `agent:${agentId}`;
      const isOpen = state.status === 'open' || state.status === 'in-progress';
      return isOpen && state.assignee === assignee ? [{ type: 'IssueUnassigned', data: { assignee, reason } }] : [];
    },
    'issue.start': (_, state, context) => {
      only(state, 'be started', 'open');
      ownOf(state, context);
      return [...endRound(state, 'withdrawn', 'it was started'), { type: 'IssueStarted', data: { taskId: null } }];
    },
    'issue.resolve': ({ resolution }, state, context) => {
      only(state, 'be resolved', 'in-progress');
      ownOf(state, context);
      return [{ type: 'IssueResolved', data: { taskId: null, by: context.actor, resolution } }];
    },
    'issue.close': ({ reason }, state) => {
      if (state.status === 'closed') return [];
      only(state, 'be closed', 'open', 'in-progress', 'resolved');
      return [...endRound(state, 'withdrawn', 'it was closed'), { type: 'IssueClosed', data: { reason } }];
    },
    'issue.reopen': ({ reason }, state) => {
      only(state, 'be reopened', 'resolved', 'closed');
      return [{ type: 'IssueReopened', data: { reason } }];
    },
    'issue.turn-into-task': ({ taskId, ended }, state) => {
      only(state, 'be turned into a task', 'open', 'in-progress');
      if (state.task?.live && !ended)
        refuse('illegal-transition', `this issue is task ${state.task.taskId} already, which has not ended`, {
          taskId: state.task.taskId,
        });
      return [
        ...endRound(state, 'withdrawn', 'it was turned into a task'),
        { type: 'IssueTurnedIntoTask', data: { taskId } },
      ];
    },
    'issue.follow-task': ({ taskId, became, reason }, state, { actor }) => {
      only(state, 'follow a task', 'open', 'in-progress', 'resolved', 'closed');
      // What a person said of it since then stands; and an earlier task of it says nothing any more.
      if (state.task?.taskId !== taskId || (state.status !== 'open' && state.status !== 'in-progress')) return [];
      switch (became) {
        case 'started':
          return state.status === 'open'
            ? [...endRound(state, 'withdrawn', 'its task was started'), { type: 'IssueStarted', data: { taskId } }]
            : [];
        case 'complete':
          return [
            ...endRound(state, 'withdrawn', 'its task is complete'),
            { type: 'IssueResolved', data: { taskId, by: actor, resolution: null } },
          ];
        default:
          return state.task.live
            ? [{ type: 'IssueTaskEnded', data: { taskId, outcome: became, reason: reason ?? became } }]
            : [];
      }
    },
  },
};

type Step = (now: IssueState, context: DecisionContext) => readonly IssueEvent[];

/** What is over is opened first, and what is to be over ends last: in between it can be changed. */
function stepsTo({ status, assignee, resolution, reason, ...details }: Commands['issue.update']): readonly Step[] {
  const { decisions } = issue;
  const reopen: Step = (now, context) =>
    decisions['issue.reopen']({ reason: reason ?? 'reopened on request' }, now, context);
  const become: Readonly<Record<NonNullable<typeof status>, Step>> = {
    open: reopen,
    'in-progress': (now, context) => decisions['issue.start']({}, now, context),
    resolved: (now, context) => decisions['issue.resolve']({ resolution }, now, context),
    closed: (now, context) => decisions['issue.close']({ reason: reason ?? 'closed on request' }, now, context),
  };
  return [
    (now, context) =>
      status === 'open' && (now.status === 'resolved' || now.status === 'closed') ? reopen(now, context) : [],
    (now, context) =>
      Object.values(details).every((value) => value === undefined)
        ? []
        : decisions['issue.change'](details, now, context),
    (now, context) => {
      if (assignee === undefined || assignee === now.assignee) return [];
      return assignee === null
        ? decisions['issue.unassign']({ reason: reason ?? 'unassigned on request' }, now, context)
        : decisions['issue.assign']({ assignee }, now, context);
    },
    (now, context) => (status === undefined || status === now.status ? [] : become[status](now, context)),
  ];
}

function only(state: IssueState, what: string, ...allowed: readonly IssueStatus[]): void {
  const { status } = state;
  if (status === 'missing') refuse('not-found', 'there is no such issue');
  if (!allowed.includes(status))
    refuse('illegal-transition', `an issue that is ${status} cannot ${what}`, { status, allowed });
}

/** An agent works on what is assigned to it. */
function ownOf({ assignee }: IssueState, { actor }: DecisionContext): void {
  if (actor.startsWith('agent:') && actor !== assignee) refuse('forbidden', 'this issue is not assigned to the agent');
}

/** The offer that waits for an answer: of the asking agent, where an agent asks. */
function offered(state: IssueState, { actor }: DecisionContext): Offer {
  if (state.status === 'missing') refuse('not-found', 'there is no such issue');
  const offer = state.round?.offer ?? null;
  const isOthers = actor.startsWith('agent:') && actor !== `agent:${offer?.agentId}`;
  if (offer !== null && !isOthers) return offer;
  const facts = { status: state.status };
  return isOthers && offer !== null
    ? refuse('forbidden', 'this issue is offered to another agent')
    : refuse('illegal-transition', 'this issue is offered to nobody, or not any more', facts);
}

/** The round, where this is the offer that is due in it. */
const isNext = ({ round: current }: IssueState, round: number, number: number) =>
  current?.number === round && current.offer === null && current.asked.length === number - 1 ? current : null;

const endOffer = (
  { round }: IssueState,
  { number, agentId }: Offer,
  outcome: OfferEnd,
  reason: string | null,
): readonly IssueEvent[] =>
  round === null ? [] : [{ type: 'IssueOfferEnded', data: { round: round.number, number, agentId, outcome, reason } }];

/** Nobody is asked any more: who is asked now is told so. */
const endRound = (state: IssueState, outcome: RoundEnd, reason: string | null): readonly IssueEvent[] =>
  state.round === null
    ? []
    : [
        ...(state.round.offer === null ? [] : endOffer(state, state.round.offer, 'withdrawn', reason)),
        { type: 'IssueAssignmentEnded', data: { round: state.round.number, outcome } },
      ];
