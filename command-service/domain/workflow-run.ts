import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { workflowRunCommands } from '@workledger/shared/contexts/task/workflow-run/commands.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import {
  entryOf,
  workflowRunFold,
  type RunStatus,
  type WorkflowRunState,
} from '@workledger/shared/contexts/task/workflow-run/state.ts';

type Commands = DataOf<typeof workflowRunCommands>;
type Of<Type extends WorkflowRunEvent['type']> = Extract<WorkflowRunEvent, { type: Type }>['data'];
/** Decided by processes: of several streams. */
type Processed =
  | 'workflow-run.start'
  | 'workflow-run.start-defined'
  | 'workflow-run.start-child'
  | 'workflow-run.perform'
  | 'workflow-run.ask';

export type WorkflowRunDecisions = Omit<Commands, Processed> & {
  'workflow-run.start': Of<'WorkflowRunStarted'>;
};

/** How a run stands as a whole: begun, held, taken up again, ended. What its steps do is decided by the saga. */
export const workflowRun: Aggregate<WorkflowRunState, WorkflowRunEvent, WorkflowRunDecisions> = {
  ...workflowRunFold,
  decisions: {
    'workflow-run.start': (data, state) => {
      if (state !== null) refuse('already-exists', 'this run exists already');
      return [{ type: 'WorkflowRunStarted', data }];
    },
    'workflow-run.pause': ({ reason }, state, { actor }) => {
      const { status } = existing(state);
      if (status === 'paused') return [];
      demand(status, ['running'], 'paused');
      return [{ type: 'WorkflowRunPaused', data: { by: actor, reason } }];
    },
    'workflow-run.resume': (_, state, { actor }) => {
      const { status } = existing(state);
      if (status === 'running') return [];
      demand(status, ['paused'], 'resumed');
      return [{ type: 'WorkflowRunResumed', data: { by: actor } }];
    },
    'workflow-run.cancel': ({ reason }, state, { actor }) => {
      const { status } = existing(state);
      if (status === 'cancelling' || status === 'cancelled') return [];
      demand(status, ['running', 'paused'], 'cancelled');
      return [{ type: 'WorkflowRunCancelAsked', data: { by: actor, reason } }];
    },
    'workflow-run.retry': ({ from }, state, { actor }) => {
      const { status, steps, parent } = existing(state);
      demand(status, ['failed', 'cancelled'], 'taken up again');
      if (parent !== null)
        refuse('illegal-transition', 'it is a step of another run: take that one up again', { runId: parent.runId });
      const unknown = from.find((id) => !steps.includes(id));
      if (unknown !== undefined) refuse('out-of-range', `from: the run has no step ${unknown}`, { step: unknown });
      return [{ type: 'WorkflowRunRetried', data: { by: actor, from } }];
    },
    'workflow-run.await': (data, state) => {
      const { status, waiting, rights } = existing(state);
      if (waiting.includes(entryOf(data)) || isEnded(status)) return [];
      return [{ type: 'WorkflowRunWaitBegan', data: { ...data, repositories: rights.repositories } }];
    },
    'workflow-run.notice-event': (data, state) =>
      existing(state).waiting.includes(entryOf(data)) ? [{ type: 'WorkflowRunEventSeen', data }] : [],
    'workflow-run.complete': ({ outputs }, state) => {
      const { status, workflowId, parent } = existing(state);
      return isEnded(status) ? [] : [{ type: 'WorkflowRunCompleted', data: { workflowId, parent, outputs } }];
    },
    'workflow-run.fail': ({ failure, notUndone }, state) => {
      const { status, workflowId, parent } = existing(state);
      return isEnded(status) ? [] : [{ type: 'WorkflowRunFailed', data: { workflowId, parent, failure, notUndone } }];
    },
    'workflow-run.end-cancelled': ({ notUndone }, state) => {
      const { status, workflowId, parent, reason } = existing(state);
      if (isEnded(status)) return [];
      return [{ type: 'WorkflowRunCancelled', data: { workflowId, parent, reason: reason ?? 'cancelled', notUndone } }];
    },
  },
};

const existing = (state: WorkflowRunState): NonNullable<WorkflowRunState> =>
  state ?? refuse('not-found', 'there is no such run of a workflow');

const isEnded = (status: RunStatus): boolean => ['completed', 'failed', 'cancelled'].includes(status);

function demand(status: RunStatus, allowed: readonly RunStatus[], what: string): void {
  if (!allowed.includes(status)) refuse('illegal-transition', `a run that is ${status} is not ${what}`, { status });
}
