import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type {
  PipelineAttempt,
  PipelineEffect,
  PipelineRow,
  PipelineStep,
} from '@workledger/shared/contexts/saga/row.ts';

type StepChange = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];
type Compensation = NonNullable<PipelineStep['compensation']>;

/** The steps after one of them changed. */
export function changeStep(steps: readonly PipelineStep[], change: StepChange, at: string): PipelineStep[] {
  const before = steps.find(({ step }) => step === change.step);
  if (before === undefined)
    return [
      ...steps,
      withChange({ step: change.step, state: change.state, attempts: [], compensation: null }, change, at),
    ];
  return steps.map((step) => (step === before ? withChange(step, change, at) : step));
}

function withChange(step: PipelineStep, change: StepChange, at: string): PipelineStep {
  const { state, detail = null } = change;
  if (state === 'compensating' || state === 'compensated') {
    const before = step.compensation ?? { effects: [], startedAt: at };
    return { ...step, state, compensation: { ...before, state, detail, updatedAt: at } };
  }
  const { round, attempt } = change;
  const isThis = (one: PipelineAttempt): boolean => one.round === round && one.attempt === attempt;
  const attempts = step.attempts.some(isThis)
    ? step.attempts.map((one) => (isThis(one) ? { ...one, state, detail, updatedAt: at } : one))
    : [...step.attempts, { round, attempt, state, detail, effects: [], startedAt: at, updatedAt: at }];
  return { ...step, state, attempts };
}

/**
 * Puts an effect where its key says it belongs: `<step>/<round>/<attempt>/…` to that attempt, `undo/<step>/…` to the step's
 * compensation, any other to the pipeline itself.
 */
export function placeEffect(row: PipelineRow, key: string, change: Change): Pick<PipelineRow, 'steps' | 'effects'> {
  const [first, second, third] = key.split('/');
  const undone = first === 'undo' && second !== undefined;
  const name = undone ? second : first;
  const index = row.steps.findIndex(({ step }) => step === name);
  const step = row.steps[index];
  const placed =
    step === undefined ? null : undone ? inCompensation(step, change) : inAttempt(step, second, third, change);
  if (placed === null) return { steps: row.steps, effects: change(row.effects) };
  return { steps: row.steps.with(index, placed), effects: row.effects };
}

type Change = (effects: readonly PipelineEffect[]) => PipelineEffect[];

const inCompensation = (step: PipelineStep, change: Change): PipelineStep | null => {
  if (step.compensation === null) return null;
  const compensation: Compensation = { ...step.compensation, effects: change(step.compensation.effects) };
  return { ...step, compensation };
};

function inAttempt(
  step: PipelineStep,
  round: string | undefined,
  attempt: string | undefined,
  change: Change,
): PipelineStep | null {
  const index = step.attempts.findIndex((one) => String(one.round) === round && String(one.attempt) === attempt);
  const found = step.attempts[index];
  return found === undefined
    ? null
    : { ...step, attempts: step.attempts.with(index, { ...found, effects: change(found.effects) }) };
}
