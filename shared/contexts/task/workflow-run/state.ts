import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { Parent, Rights, WorkflowRunEvent } from './events.ts';

export const RUN_STATES = ['running', 'paused', 'cancelling', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATES)[number];

/** A run as decisions see it; null: there is none. What its steps do is the saga's. */
export type WorkflowRunState = {
  readonly status: RunStatus;
  readonly workflowId: string;
  readonly steps: readonly string[];
  readonly repository: string | null;
  readonly startedBy: string;
  readonly rights: Rights;
  readonly parent: Parent;
  /** Why it is to be cancelled; null: it is not. */
  readonly reason: string | null;
  /** Entries of steps that wait for an event: `<step>/<round>/<attempt>`. */
  readonly waiting: readonly string[];
} | null;

export const entryOf = ({ step, round, attempt }: { step: string; round: number; attempt: number }): string =>
  `${step}/${round}/${attempt}`;

function evolve(state: WorkflowRunState, event: WorkflowRunEvent): WorkflowRunState {
  if (event.type === 'WorkflowRunStarted') {
    const { workflowId, definition, repository, startedBy, rights, parent } = event.data;
    const steps = definition.steps.map(({ id }) => id);
    return {
      ...{ workflowId, steps, repository, startedBy, rights, parent },
      status: 'running',
      reason: null,
      waiting: [],
    };
  }
  if (state === null) return null;
  switch (event.type) {
    case 'WorkflowRunPaused':
      return { ...state, status: 'paused' };
    case 'WorkflowRunResumed':
      return { ...state, status: 'running' };
    case 'WorkflowRunRetried':
      return { ...state, status: 'running', reason: null };
    case 'WorkflowRunCancelAsked':
      return { ...state, status: 'cancelling', reason: event.data.reason };
    case 'WorkflowRunWaitBegan':
      return { ...state, waiting: [...state.waiting, entryOf(event.data)] };
    case 'WorkflowRunEventSeen':
      return { ...state, waiting: state.waiting.filter((entry) => entry !== entryOf(event.data)) };
    case 'WorkflowRunCompleted':
      return { ...state, status: 'completed', waiting: [] };
    case 'WorkflowRunFailed':
      return { ...state, status: 'failed', waiting: [] };
    case 'WorkflowRunCancelled':
      return { ...state, status: 'cancelled', waiting: [] };
  }
}

export const workflowRunFold: Fold<WorkflowRunState, WorkflowRunEvent> = {
  type: 'workflow-run',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve,
};
