import { nullsOf } from '@workledger/shared/contexts/define-row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import {
  workflowRunModel,
  workflowRunRow,
  type WorkflowRunRow,
} from '@workledger/shared/contexts/task/workflow-run/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { workflowRunsMigrations } from './migration.ts';

type Started = Extract<WorkflowRunEvent, { type: 'WorkflowRunStarted' }>['data'];

const begun = ({ workflowId, version, definition, inputs, repository, startedBy, parent }: Started) => ({
  ...nullsOf(workflowRunRow),
  ...{ workflowId, version, inputs, repository, startedBy },
  workflow: definition.name,
  state: 'running' as const,
  notUndone: [],
  parentRunId: parent?.runId ?? null,
  parentStep: parent?.step ?? null,
  stepCount: definition.steps.length,
  retries: 0,
});

function changes(row: WorkflowRunRow, event: WorkflowRunEvent, at: string): Partial<WorkflowRunRow> {
  switch (event.type) {
    case 'WorkflowRunPaused':
      return { state: 'paused', reason: event.data.reason };
    case 'WorkflowRunResumed':
      return { state: 'running', reason: null };
    case 'WorkflowRunCancelAsked':
      return { state: 'cancelling', reason: event.data.reason };
    case 'WorkflowRunRetried': {
      const anew = { failure: null, reason: null, notUndone: [], endedAt: null };
      return { ...anew, state: 'running', retries: row.retries + 1 };
    }
    case 'WorkflowRunCompleted':
      return { state: 'completed', outputs: event.data.outputs, reason: null, endedAt: at };
    case 'WorkflowRunFailed':
      return { state: 'failed', failure: event.data.failure, notUndone: event.data.notUndone, endedAt: at };
    case 'WorkflowRunCancelled':
      return { state: 'cancelled', reason: event.data.reason, notUndone: event.data.notUndone, endedAt: at };
    case 'WorkflowRunStarted':
    case 'WorkflowRunWaitBegan':
    case 'WorkflowRunEventSeen':
      return {};
  }
}

/** A row a run; its steps have rows of their own (`steps.ts`). */
export const workflowRuns = defineProjection<WorkflowRunRow, Recorded<WorkflowRunEvent>>(workflowRunModel, {
  migrations: workflowRunsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const at = event.recordedAt.toISOString();
    const { revision } = event;
    if (event.type === 'WorkflowRunStarted')
      return { ...begun(event.data), id, revision, startedAt: at, updatedAt: at };
    const before = existing(row, event);
    return { ...before, ...changes(before, event, at), revision, updatedAt: at };
  },
});
