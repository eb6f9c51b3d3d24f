import type { Aggregate, DecisionContext } from '@workledger/shared/aggregate/aggregate.ts';
import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { taskCommands } from '@workledger/shared/contexts/task/task/commands.ts';
import type { AlsoTold, Complexity, LATER_STEPS, TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import {
  taskFold,
  type TaskDetails,
  type TaskResultData,
  type TaskState,
  type TaskStatus,
} from '@workledger/shared/contexts/task/task/state.ts';

type Commands = DataOf<typeof taskCommands>;

type Claiming = {
  readonly claimId: string;
  readonly agentId: string;
  readonly runtime: 'command' | 'remote';
  readonly leaseSeconds: number;
  readonly budget?: { readonly limitUsd: number; readonly spentUsd: number };
  readonly configuration?: number;
};

/** A claim under which no agent works: its run goes on at a later step, with a commit that is there. */
export type GoesOn = Claiming & {
  readonly from: (typeof LATER_STEPS)[number];
  readonly commit: string;
  /** Where the work started. */
  readonly base: string;
};

/** What a person said of the work, and who it was. */
export type Said = { readonly words?: string; readonly by?: string };

/** Commands that touch other streams, too, come here as the part that concerns the task: `take`, `expand`, `complete-parent`. */
export type TaskDecisions = Omit<
  Commands,
  | 'task.create'
  | 'task.change'
  | 'task.set-status'
  | 'task.create-from-delivery'
  | 'task.create-from-issue'
  | 'task.add-dependency'
  | 'task.remove-dependency'
  | 'task.claim'
  | 'task.renew'
  | 'task.expand'
  | 'task.complete-parent'
  | 'task.cancel'
  | 'task.retry'
  | 'task.finish-cancellation'
  | 'task.send-back'
  | 'task.fail'
  | 'task.approve'
  | 'task.refuse'
> & {
  'task.create': Omit<Commands['task.create'], 'complexity'> & {
    issueId?: string;
    alsoTold?: AlsoTold;
    complexity: Complexity | null;
  };
  'task.change': Omit<Commands['task.change'], 'complexity'> & { complexity?: Complexity | null | undefined };
  'task.take': Claiming;
  'task.expand': { subtasks: string[] };
  'task.complete-parent': { result: TaskResultData };
  'task.retry': { reason: string; goesOn?: GoesOn };
  /** `withWhole`: the whole is cancelled, too, or does not have it as a part. */
  'task.cancel': { reason: string; withWhole?: boolean };
  'task.send-back': Omit<Commands['task.send-back'], 'questionId'> & Said;
  'task.fail': Omit<Commands['task.fail'], 'questionId'> & Said;
};

/**
 * One piece of work: pending → in progress (claimed) → validation (submitted) → complete, or sent back to work. What is bound
 * to a claim must name the current one, so that the late results of an agent that lost the task are refused.
 */
export const task: Aggregate<TaskState, TaskEvent, TaskDecisions> = {
  ...taskFold,
  decisions: {
    'task.create': (data, state) => {
      if (state.status !== 'missing') refuse('already-exists', 'this task exists already', { status: state.status });
      return [{ type: 'TaskCreated', data }];
    },
    'task.change': (data, state) => {
      only(state, 'be changed', 'pending', 'in-progress', 'validation', 'failed', 'cancelled');
      const changed = Object.entries(data).filter(
        ([name, value]) =>
          value !== undefined && canonicalJson(value) !== canonicalJson(state.details[name as keyof TaskDetails]),
      );
      return changed.length === 0 ? [] : [{ type: 'TaskDetailsChanged', data: Object.fromEntries(changed) }];
    },
    'task.expand': ({ subtasks }, state) => {
      only(state, 'be expanded', 'pending');
      if (state.subtasks.length > 0) refuseExpanded(state, 'be expanded again');
      if (subtasks.some((id) => state.givenUp.includes(id)))
        refuse('illegal-transition', 'this expansion took too long and was given up: ask again', {
          status: state.status,
        });
      return [{ type: 'TaskExpanded', data: { subtasks } }];
    },
    'task.give-up-expansion': ({ subtasks }, state) => {
      if (state.status === 'missing') refuse('not-found', 'there is no such task');
      const left = subtasks.filter((id) => !state.givenUp.includes(id));
      // What is complete or expanded is never expanded again.
      if (state.status === 'complete' || state.subtasks.length > 0 || left.length === 0) return [];
      return [{ type: 'TaskExpansionGivenUp', data: { subtasks: left } }];
    },
    'task.take': (data, state) => {
      only(state, 'be claimed', 'pending');
      if (state.subtasks.length > 0) refuseExpanded(state, 'be claimed');
      return [{ type: 'TaskClaimed', data: { ...data, repository: state.repository, ...followed(state) } }];
    },
    'task.report-progress': (data, state, context) => {
      holds(state, data.claimId, context);
      return [{ type: 'TaskProgressReported', data }];
    },
    'task.submit': (data, state, context) => {
      holds(state, data.claimId, context);
      only(state, 'be submitted', 'in-progress');
      return [{ type: 'TaskWorkSubmitted', data }];
    },
    'task.send-back': (data, state, context) => {
      holds(state, data.claimId, context);
      only(state, 'be sent back', 'validation');
      return [{ type: 'TaskSentBack', data: { ...data, ...told(state) } }];
    },
    'task.await-approval': (data, state, context) => {
      holds(state, data.claimId, context);
      only(state, 'be approved', 'validation');
      const isKnown = state.approvals.at(-1)?.questionId === data.questionId;
      return isKnown ? [] : [{ type: 'TaskApprovalAsked', data: { ...data, ...told(state) } }];
    },
    'task.note-pull-request': (data, state, context) => {
      holds(state, data.claimId, context);
      return state.pullRequest?.number === data.number ? [] : [{ type: 'TaskPullRequestOpened', data }];
    },
    'task.notice-pull-request': (_, { status, claim, pullRequest }) => {
      if (status === 'missing') refuse('not-found', 'there is no such task');
      const waits = claim !== null && pullRequest !== null;
      return waits ? [{ type: 'TaskPullRequestNoticed', data: { claimId: claim.claimId } }] : [];
    },
    'task.release': ({ claimId, reason, limit }, state, context) => {
      const { agentId } = holds(state, claimId, context);
      only(state, 'be released', 'in-progress');
      return [{ type: 'TaskClaimReleased', data: { claimId, agentId, reason, ...(limit && { limit }) } }];
    },
    'task.expire-claim': ({ claimId }, state, context) => {
      const { agentId } = holds(state, claimId, context);
      only(state, 'lose its claim', 'in-progress');
      return [{ type: 'TaskClaimExpired', data: { claimId, agentId } }];
    },
    'task.complete': ({ claimId, result }, state, context) => {
      // What its base branch has is done: who cancelled it in that moment, or began it anew since, came too late.
      const isOver = state.status === 'cancelled' || state.status === 'pending';
      const isLanded = result.merged && isOver && state.endedClaim === claimId && state.subtasks.length === 0;
      if (!isLanded) {
        holds(state, claimId, context);
        // Somebody may merge what was sent back.
        only(state, 'be completed', 'validation', ...(result.merged ? (['in-progress'] as const) : []));
      }
      return [{ type: 'TaskCompleted', data: { claimId, parentId: state.parentId, result, ...followed(state) } }];
    },
    'task.complete-parent': ({ result }, state) => {
      if (state.status === 'complete') return [];
      only(state, 'be completed', 'pending');
      if (state.subtasks.length === 0)
        refuse('illegal-transition', 'this task has no subtasks: it completes by its own work', {
          status: state.status,
        });
      return [{ type: 'TaskCompleted', data: { claimId: null, parentId: state.parentId, result, ...followed(state) } }];
    },
    'task.fail': (data, state, context) => {
      holds(state, data.claimId, context);
      return [{ type: 'TaskFailed', data: { ...data, ...followed(state) } }];
    },
    'task.cancel': ({ reason, withWhole = false }, state) => {
      if (state.status === 'cancelled') return [];
      only(state, 'be cancelled', 'pending', 'in-progress', 'validation', 'failed');
      const { claim, parentId, subtasks } = state;
      const claimId = claim?.claimId ?? null;
      const whole = withWhole || parentId === null ? {} : { parentId };
      const parts = subtasks.length === 0 ? {} : { hasSubtasks: true as const };
      return [{ type: 'TaskCancelled', data: { claimId, reason, ...whole, ...parts, ...followed(state) } }];
    },
    'task.ask-changes': ({ words }, state, { actor }) => {
      only(state, 'be sent back', 'failed', 'cancelled');
      return [{ type: 'TaskRetried', data: { reason: 'a person sent it back', words, by: actor, ...told(state) } }];
    },
    'task.retry': ({ reason, goesOn }, state) => {
      only(state, 'be retried', 'failed', 'cancelled');
      if (goesOn === undefined) return [{ type: 'TaskRetried', data: { reason, ...told(state) } }];
      const { claimId, commit, from } = goesOn;
      return [
        { type: 'TaskRetried', data: { reason, from, ...told(state) } },
        { type: 'TaskClaimed', data: { ...goesOn, repository: state.repository, ...followed(state) } },
        { type: 'TaskWorkSubmitted', data: { claimId, commit, summary: null } },
      ];
    },
  },
};

const told = ({ isAlsoTold }: TaskState): { isAlsoTold?: true } => (isAlsoTold ? { isAlsoTold } : {});

/** Who hears of it goes by single events. */
const followed = (state: TaskState): { issueId?: string; isAlsoTold?: true } => ({
  ...(state.issueId !== null && { issueId: state.issueId }),
  ...told(state),
});

function only(state: TaskState, what: string, ...allowed: readonly TaskStatus[]): void {
  const { status } = state;
  if (status === 'missing') refuse('not-found', 'there is no such task');
  if (!allowed.includes(status))
    refuse('illegal-transition', `a task that is ${status} cannot ${what}`, { status, allowed });
}

/** The claim, if it is the current one, and the asking agent's own. */
export function holds(
  state: TaskState,
  claimId: string | null,
  { actor }: Pick<DecisionContext, 'actor'>,
): NonNullable<TaskState['claim']> {
  if (state.status === 'missing') refuse('not-found', 'there is no such task');
  const { claim, status } = state;
  if (claim === null || claim.claimId !== claimId)
    return refuse('claim-mismatch', 'this claim is not, or no longer, the current one of this task', { status });
  if (actor.startsWith('agent:') && actor !== `agent:${claim.agentId}`)
    refuse('forbidden', 'this claim belongs to another agent');
  return claim;
}

const refuseExpanded = (state: TaskState, what: string): never =>
  refuse('illegal-transition', `a task with subtasks cannot ${what}`, { status: state.status, expanded: true });
