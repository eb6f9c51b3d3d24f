import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';

/** Where a pipeline stands; folded from the saga's stream. */
export type PipelineState<Facts> = {
  readonly facts: Facts;
  /** The step that is under way. */
  readonly current: {
    readonly step: string;
    readonly round: number;
    readonly attempt: number;
    readonly resting: boolean;
  } | null;
  /** How often each step was entered. */
  readonly rounds: Readonly<Record<string, number>>;
  /** Steps that succeeded and would have to be undone, in the order of their success. */
  readonly succeeded: readonly string[];
  /** Set when the pipeline is on its way to an end other than success. */
  readonly ending: Ending | null;
  readonly ended: boolean;
};

export type Ending = {
  readonly outcome: 'failed' | 'cancelled';
  readonly failure: Failure | null;
  /** What is still to be undone, next first; the step under way when it ended is marked. */
  readonly undo: readonly { readonly step: string; readonly abandoned: boolean }[];
};

/** Detail of the step change that ends a pipeline early. */
export type EndDetail = Pick<Ending, 'failure' | 'undo'>;

export const initialState = <Facts>(facts: Facts): PipelineState<Facts> => ({
  facts,
  current: null,
  rounds: {},
  succeeded: [],
  ending: null,
  ended: false,
});

type StepChanged = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];

/** Folds a step's change. Facts are folded by the saga itself. */
export function onStepChanged<Facts>(state: PipelineState<Facts>, change: StepChanged): PipelineState<Facts> {
  const { step, round, attempt } = change;
  switch (change.state) {
    case 'started':
      return {
        ...state,
        current: { step, round, attempt, resting: false },
        rounds: { ...state.rounds, [step]: round },
      };
    case 'waiting':
      return { ...state, current: { step, round, attempt, resting: true } };
    case 'succeeded':
      return { ...state, current: null, succeeded: [...state.succeeded.filter((name) => name !== step), step] };
    case 'skipped':
    case 'sent-back':
      return { ...state, current: null };
    case 'failed':
    case 'cancelled':
      return { ...state, current: null, ending: { outcome: change.state, ...(change.detail as EndDetail) } };
    case 'compensating':
      return state;
    case 'compensated':
      return state.ending === null
        ? state
        : { ...state, ending: { ...state.ending, undo: state.ending.undo.slice(1) } };
  }
}
