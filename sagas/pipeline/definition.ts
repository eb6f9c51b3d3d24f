import type { Context } from '@workledger/shared/contexts/define-events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent, SagaName } from '@workledger/shared/contexts/saga/events.ts';
import type { Ending } from './state.ts';
import type { Effector, Outcome, Step } from './step.ts';

/** A saga that reads as a list of steps. */
export type PipelineDefinition<Facts> = {
  readonly name: SagaName;
  readonly topics: readonly Context[];
  readonly correlate: (event: RecordedEvent) => string | null;
  /** What the steps know, before anything happened. */
  readonly facts: Facts;
  /** Folds inputs and the details of finished steps into the facts. */
  readonly absorb: (facts: Facts, event: SagaEvent) => Facts;
  /** True as soon as the first step may begin. */
  readonly ready: (facts: Facts) => boolean;
  /** A reason to end at once, undoing what was done; null: go on. */
  readonly stopped: (facts: Facts) => string | null;
  readonly steps: readonly Step<Facts>[];
  /** The last act after all was undone. */
  readonly conclude: (facts: Facts, ending: Ending, on: Effector) => Outcome;
};
