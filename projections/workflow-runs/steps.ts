import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { workflowStepModel, type WorkflowStepRow } from '@workledger/shared/contexts/task/workflow-run/row.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { workflowStepsMigrations } from './migration.ts';

type Changed = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];
type Detail = { readonly awaits?: string; readonly result?: unknown; readonly failure?: Failure };

/** Whose step an event is about; null: of none. */
function stepOf({ type, data }: SagaEvent): string | null {
  if (type === 'SagaStepChanged') return data.step;
  if (type !== 'SagaEffectSucceeded' && type !== 'SagaEffectPostponed') return null;
  const [kind, step, , , more] = data.key.split('/');
  return kind === 'step' && more === undefined ? (step ?? null) : null;
}

function afterChange(row: Partial<WorkflowStepRow>, { step, round, attempt, state, detail }: Changed) {
  const { awaits, result, failure } = detail as Detail;
  const isNew = state === 'started' || state === 'sent-back';
  return {
    ...{ step, round, attempt, state },
    result: result ?? (isNew ? null : (row.result ?? null)),
    failure: failure ?? (isNew || state === 'succeeded' ? null : (row.failure ?? null)),
    waitsFor: awaits ?? null,
  };
}

/** A row a step, so that a run of a thousand costs each event one small row. */
export const workflowSteps = defineProjection<WorkflowStepRow, Recorded<SagaEvent>>(workflowStepModel, {
  migrations: workflowStepsMigrations,
  key: (event) => {
    const step = stepOf(event);
    return step === null ? [] : [`${streamId(event.stream)}/${step}`];
  },
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    if (event.type === 'SagaStepChanged') {
      const runId = streamId(event.stream);
      const startedAt = row === undefined || event.data.state === 'started' ? at : row.startedAt;
      return { ...{ id, revision, runId, startedAt, updatedAt: at }, ...afterChange(row ?? {}, event.data) };
    }
    if (row === undefined) return row;
    if (event.type === 'SagaEffectSucceeded') {
      // What only asks answers nothing of the step: what it waits for does.
      return row.waitsFor === null ? { ...row, revision, result: event.data.result, updatedAt: at } : row;
    }
    if (event.type === 'SagaEffectPostponed')
      return { ...row, revision, waitsFor: event.data.failure.reason, updatedAt: at };
    return row;
  },
});
