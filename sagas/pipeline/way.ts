import type { Decision, Effects } from '../engine/saga.ts';
import type { PipelineDefinition } from './definition.ts';
import type { PipelineState } from './state.ts';

/** A pipeline on its way through one reaction: the state as decided so far, and the decisions. */
export type Way<Facts> = {
  readonly definition: PipelineDefinition<Facts>;
  readonly effects: Effects;
  readonly now: Date;
  state(): PipelineState<Facts>;
  decide(decision: Decision): void;
  record(event: Extract<Decision, { decide: 'record' }>['event']): void;
  /** Asks all effects that are still under way to stop, those whose key begins so. */
  cancelUnderWay(prefix: string): void;
};
