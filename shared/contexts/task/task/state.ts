import { plainSnapshot, type Fold } from '../../define-events.ts';
import { taskEvents, type TaskEvent } from './events.ts';

export type TaskStatus = 'missing' | 'pending' | 'in-progress' | 'validation' | 'complete' | 'failed' | 'cancelled';

type Created = Extract<TaskEvent, { type: 'TaskCreated' }>['data'];
type Changed = Extract<TaskEvent, { type: 'TaskDetailsChanged' }>['data'];
/** What can be changed later. */
export type TaskDetails = Pick<Created, keyof Changed>;
export type TaskResultData = Extract<TaskEvent, { type: 'TaskCompleted' }>['data']['result'];

export type TaskState = {
  readonly status: TaskStatus;
  readonly details: TaskDetails;
  readonly repository: string | null;
  readonly capabilities: readonly string[];
  readonly parentId: string | null;
  /** Which follows it. */
  readonly issueId: string | null;
  /** Not empty: the work is done by these, and this task completes when they do. */
  readonly subtasks: readonly string[];
  /** What it was nearly expanded into, and never will be. */
  readonly givenUp: readonly string[];
  /** Who works on it; null unless in progress or in validation. */
  readonly claim: { readonly claimId: string; readonly agentId: string; readonly leaseSeconds: number } | null;
  /** The claim under which it was cancelled last; null once it is claimed again. */
  readonly endedClaim: string | null;
  readonly result: TaskResultData | null;
  /** Approvals that were asked for, newest last. */
  readonly approvals: readonly { readonly questionId: string; readonly commit: string }[];
  /** What a person said of the work last: the next attempt is told. */
  readonly words: string | null;
  /** Where the request came from; null: from before that was kept. */
  readonly source: Created['source'] | null;
  /** Its later events say so: who tells of it goes by single events. */
  readonly isAlsoTold: boolean;
  /** The one that its work is offered by. */
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
};

/** A command that is sent again finds the one that it answered among these. */
const MOST_APPROVALS = 20;

const noTask: TaskState = {
  status: 'missing',
  details: {
    title: '',
    description: '',
    priority: 3,
    labels: [],
    metadata: {},
    assignee: null,
    complexity: null,
  },
  repository: null,
  capabilities: [],
  parentId: null,
  issueId: null,
  subtasks: [],
  givenUp: [],
  claim: null,
  endedClaim: null,
  result: null,
  approvals: [],
  words: null,
  source: null,
  isAlsoTold: false,
  pullRequest: null,
};

const detailNames = Object.keys(taskEvents.events.TaskDetailsChanged.schema.shape) as (keyof TaskDetails)[];

const detailsOf = (data: Created): TaskDetails =>
  Object.fromEntries(detailNames.map((name) => [name, data[name]])) as TaskDetails;

function evolve(state: TaskState, event: TaskEvent): TaskState {
  switch (event.type) {
    case 'TaskCreated': {
      const { repository, capabilities, parentId, issueId = null, source, alsoTold } = event.data;
      const of = { repository, capabilities, parentId, issueId, source, isAlsoTold: alsoTold !== undefined };
      return { ...state, status: 'pending', details: detailsOf(event.data), ...of };
    }
    case 'TaskDetailsChanged':
      return { ...state, details: { ...state.details, ...(event.data as Partial<TaskDetails>) } };
    case 'TaskExpanded':
      return { ...state, subtasks: event.data.subtasks };
    case 'TaskExpansionGivenUp':
      return { ...state, givenUp: [...state.givenUp, ...event.data.subtasks] };
    case 'TaskClaimed': {
      const { claimId, agentId, leaseSeconds } = event.data;
      return { ...state, status: 'in-progress', claim: { claimId, agentId, leaseSeconds }, endedClaim: null };
    }
    case 'TaskProgressReported':
    case 'TaskPullRequestNoticed':
      return state;
    case 'TaskWorkSubmitted':
      return { ...state, status: 'validation' };
    case 'TaskApprovalAsked': {
      const { questionId, commit } = event.data;
      return { ...state, approvals: [...state.approvals, { questionId, commit }].slice(-MOST_APPROVALS) };
    }
    case 'TaskPullRequestOpened': {
      const { number, url } = event.data;
      return { ...state, pullRequest: { number, url } };
    }
    case 'TaskSentBack':
      return { ...state, status: 'in-progress', words: event.data.words ?? state.words };
    case 'TaskClaimReleased':
    case 'TaskClaimExpired':
      return { ...state, status: 'pending', claim: null };
    case 'TaskRetried':
      return { ...state, status: 'pending', claim: null, words: event.data.words ?? state.words };
    case 'TaskCompleted':
      return { ...state, status: 'complete', claim: null, endedClaim: null, result: event.data.result };
    case 'TaskFailed':
      return { ...state, status: 'failed', claim: null, words: event.data.words ?? state.words };
    case 'TaskCancelled':
      return { ...state, status: 'cancelled', claim: null, endedClaim: event.data.claimId ?? state.endedClaim };
  }
}

export const taskFold: Fold<TaskState, TaskEvent> = {
  type: 'task',
  initial: noTask,
  evolve,
  snapshot: plainSnapshot(6),
};
