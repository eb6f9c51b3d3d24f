import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { StepLine } from './step-line.ts';

type StepChange = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];

const UNDONE: Readonly<Record<string, string>> = { publish: 'branch deleted', prepare: 'worktrees removed' };

/** Steps that no domain event tells of: publication, merging, retries, and the way back. */
export function describeStep({ step, state, detail }: StepChange): StepLine | null {
  const { learned, failure, abandoned } = (detail ?? {}) as {
    learned?: { branch?: string; merged?: boolean };
    failure?: Failure;
    abandoned?: boolean;
  };
  if (step === 'prepare' && state === 'succeeded') return { step, text: 'repository fetched', tone: 'quiet' };
  if (step === 'publish' && state === 'succeeded')
    return { step, text: `branch ${learned?.branch ?? ''} in the origin`, tone: 'good' };
  if (step === 'merge' && state === 'succeeded')
    return { step, text: 'base branch moved to the validated commit', tone: 'good' };
  if (step === 'merge' && state === 'sent-back')
    return { step, text: 'the base had moved: rebased, once more', tone: 'plain' };
  if (state === 'waiting') return { step, text: `tries again: ${failure?.reason ?? ''}`, tone: 'bad' };
  if (state === 'compensated' && UNDONE[step] !== undefined)
    return failure === undefined
      ? { step: 'undo', text: `${step}: ${UNDONE[step]}`, tone: 'plain' }
      : { step: 'undo', text: `${step} could not be undone: ${failure.reason}`, tone: 'bad' };
  if (state === 'cancelled' && abandoned !== true) return { step, text: 'stopped', tone: 'bad' };
  return null;
}
