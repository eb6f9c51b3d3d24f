import type { EvolutionEvent } from '@workledger/shared/events/evolution.ts';
import { bestValue, evolveEvolution, type EvolutionState } from './evolution-state.ts';

type Reason = Extract<EvolutionEvent, { type: 'EvolutionCompleted' }>['data']['reason'];

/** What follows from a candidate that has just come in: nothing yet, the next generation, or the end. */
export function afterCandidate(state: EvolutionState): EvolutionEvent[] {
  const { number, candidates, done, improved } = state.generation;
  if (done.size < candidates.length) {
    const reason = reasonToStopAtOnce(state);
    return reason === null ? [] : [completed(state, reason)];
  }
  const closed: EvolutionEvent = {
    type: 'EvolutionGenerationClosed',
    data: { ...state.run, generation: number, best: state.best, improved },
  };
  const after = evolveEvolution(state, closed);
  const reason = reasonToStopAtOnce(after) ?? reasonToStopHere(after);
  return [closed, reason === null ? opened(after, number + 1) : completed(after, reason)];
}

/** What follows from the start: the first generation, unless there is nothing to do or nothing to spend. */
export function afterStart(state: EvolutionState): EvolutionEvent[] {
  const reason = reasonToStopAtOnce(state);
  return [reason === null ? opened(state, 1) : completed(state, reason)];
}

function reasonToStopAtOnce(state: EvolutionState): Reason | null {
  const { target, direction, budgetUsd } = state.plan;
  const value = bestValue(state);
  if (target !== null && value !== undefined && (direction === 'minimize' ? value <= target : value >= target))
    return 'target';
  return budgetUsd !== null && (state.spentUsd ?? 0) >= budgetUsd ? 'budget' : null;
}

function reasonToStopHere({ stale, plan, generation }: EvolutionState): Reason | null {
  if (stale >= plan.patience) return 'no-progress';
  return generation.number >= plan.generations ? 'generations' : null;
}

const opened = (state: EvolutionState, number: number): EvolutionEvent => ({
  type: 'EvolutionGenerationOpened',
  data: {
    ...state.run,
    generation: number,
    parent: state.best?.commit ?? state.base,
    candidates: Array.from({ length: state.plan.candidates }, (_, index) => `${number}.${index + 1}`),
  },
});

const completed = (state: EvolutionState, reason: Reason): EvolutionEvent => ({
  type: 'EvolutionCompleted',
  data: { ...state.run, reason, best: state.best, commit: state.best?.commit ?? state.base, costUsd: state.spentUsd },
});
