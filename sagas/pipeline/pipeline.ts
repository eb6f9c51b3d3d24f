import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Effects, Saga } from '../engine/saga.ts';
import { advance } from './advance.ts';
import type { PipelineDefinition } from './definition.ts';
import { initialState, onStepChanged, type PipelineState } from './state.ts';

/** Makes a saga of the steps: one after the other, with retries; on failure or stop, what succeeded is undone in reverse. */
export function definePipeline<Facts>(definition: PipelineDefinition<Facts>): Saga<PipelineState<Facts>> {
  const { name, topics, correlate, absorb } = definition;

  function evolve(state: PipelineState<Facts>, event: SagaEvent): PipelineState<Facts> {
    const absorbed = { ...state, facts: absorb(state.facts, event) };
    if (event.type === 'SagaStepChanged') return onStepChanged(absorbed, event.data);
    if (event.type === 'SagaEnded') return { ...absorbed, ended: true };
    return absorbed;
  }

  return {
    name,
    topics,
    correlate,
    initial: initialState(definition.facts),
    evolve,
    react: (state: PipelineState<Facts>, _event: SagaEvent, effects: Effects, now: Date) =>
      advance(definition, evolve, state, effects, now),
  };
}
