import { plainSnapshot, type Fold } from '../../define-events.ts';
import { issueEvents, type IssueEvent } from './events.ts';

export type IssueStatus = 'missing' | 'open' | 'in-progress' | 'resolved' | 'closed';

type Reported = Extract<IssueEvent, { type: 'IssueReported' }>['data'];
/** What can be changed later. */
export type IssueDetails = Omit<Reported, 'repository' | 'reporter'>;

export type Offer = { readonly number: number; readonly agentId: string };

/** A round of asking: every agent once at most. */
export type Round = {
  readonly number: number;
  readonly acceptWithinSeconds: number;
  /** In the order in which they were asked, whoever is asked now the last of them. */
  readonly asked: readonly string[];
  readonly offer: Offer | null;
};

export type IssueState = {
  readonly status: IssueStatus;
  readonly details: IssueDetails;
  readonly repository: string | null;
  readonly reporter: string;
  readonly assignee: string | null;
  readonly rounds: number;
  /** While agents are asked. */
  readonly round: Round | null;
  /** What it was last turned into. `live`: it has not ended, or has begun again. */
  readonly task: { readonly taskId: string; readonly live: boolean } | null;
};

const noIssue: IssueState = {
  status: 'missing',
  details: { title: '', description: '', priority: 'medium', labels: [], capabilities: [] },
  repository: null,
  reporter: '',
  assignee: null,
  rounds: 0,
  round: null,
  task: null,
};

const detailNames = Object.keys(issueEvents.events.IssueDetailsChanged.schema.shape) as (keyof IssueDetails)[];

const detailsOf = (data: Reported): IssueDetails =>
  Object.fromEntries(detailNames.map((name) => [name, data[name]])) as IssueDetails;

function evolve(state: IssueState, event: IssueEvent): IssueState {
  switch (event.type) {
    case 'IssueReported': {
      const { repository, reporter } = event.data;
      return { ...state, status: 'open', details: detailsOf(event.data), repository, reporter };
    }
    case 'IssueDetailsChanged':
      return { ...state, details: { ...state.details, ...event.data } as IssueDetails };
    case 'IssueAssignmentRequested': {
      const { round: number, acceptWithinSeconds } = event.data;
      return { ...state, rounds: number, round: { number, acceptWithinSeconds, asked: [], offer: null } };
    }
    case 'IssueOffered': {
      const { number, agentId } = event.data;
      return { ...state, round: state.round && { ...state.round, ...asking(state.round, { number, agentId }) } };
    }
    case 'IssueOfferEnded':
      return { ...state, round: state.round && { ...state.round, offer: null } };
    case 'IssueAssignmentEnded':
      return { ...state, round: null };
    case 'IssueAssigned':
      return { ...state, assignee: event.data.assignee };
    case 'IssueUnassigned':
      return { ...state, assignee: null, status: 'open' };
    case 'IssueStarted':
      return { ...state, status: 'in-progress', task: revived(state.task, event.data.taskId, true) };
    case 'IssueResolved':
      return { ...state, status: 'resolved', task: revived(state.task, event.data.taskId, false) };
    case 'IssueClosed':
      return { ...state, status: 'closed' };
    case 'IssueReopened':
      return { ...state, status: 'open' };
    case 'IssueTurnedIntoTask':
      return { ...state, task: { taskId: event.data.taskId, live: true } };
    case 'IssueTaskEnded':
      return { ...state, status: 'open', task: revived(state.task, event.data.taskId, false) };
  }
}

const asking = ({ asked }: Round, offer: Offer): Pick<Round, 'asked' | 'offer'> => ({
  asked: [...asked, offer.agentId],
  offer,
});

const revived = (task: IssueState['task'], taskId: string | null, live: boolean): IssueState['task'] =>
  task?.taskId === taskId ? { ...task, live } : task;

export const issueFold: Fold<IssueState, IssueEvent> = {
  type: 'issue',
  initial: noIssue,
  evolve,
  snapshot: plainSnapshot(1),
};
