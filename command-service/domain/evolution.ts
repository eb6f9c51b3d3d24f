import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { evolutionCommands } from '@workledger/shared/contexts/evolution/evolution/commands.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import {
  bestValue,
  evolutionFold,
  type EvolutionState,
} from '@workledger/shared/contexts/evolution/evolution/state.ts';

export type EvolutionDecisions = DataOf<typeof evolutionCommands>;

/**
 * Best-of-n, generation after generation: the aggregate itself says what is tried next and when to stop. What comes in late,
 * when all is decided, changes nothing.
 */
export const evolution: Aggregate<EvolutionState, EvolutionEvent, EvolutionDecisions> = {
  ...evolutionFold,
  decisions: {
    'evolution.start': (data, state) => {
      if (state.status !== 'missing') refuse('already-exists', 'this evolution was started before');
      return withWhatFollows(state, { type: 'EvolutionStarted', data }, afterStart);
    },
    'evolution.record-candidate': (data, state) =>
      isNews(state, data.generation, data.candidate)
        ? withWhatFollows(state, { type: 'CandidateEvaluated', data: { ...state.run, ...data } }, afterCandidate)
        : [],
    'evolution.fail-candidate': (data, state) =>
      isNews(state, data.generation, data.candidate)
        ? withWhatFollows(state, { type: 'CandidateFailed', data: { ...state.run, ...data } }, afterCandidate)
        : lateCost(state, data),
    'evolution.fail': ({ failure }, state) => {
      if (state.status === 'failed') return [];
      running(state, 'fail');
      return [{ type: 'EvolutionFailed', data: { ...state.run, failure } }];
    },
    'evolution.cancel': ({ reason }, state) => {
      if (state.status === 'cancelled') return [];
      running(state, 'be cancelled');
      return [{ type: 'EvolutionCancelled', data: { ...state.run, reason } }];
    },
  },
};

/** What a candidate cost that came in when all was decided is told all the same, once. */
const lateCost = (state: EvolutionState, data: EvolutionDecisions['evolution.fail-candidate']): EvolutionEvent[] => {
  const { number, done } = state.generation;
  const isLate = state.status !== 'running' && data.generation === number && !done.has(data.candidate);
  return isLate && data.costUsd !== null ? [{ type: 'CandidateFailed', data: { ...state.run, ...data } }] : [];
};

const withWhatFollows = (
  state: EvolutionState,
  event: EvolutionEvent,
  follow: (state: EvolutionState) => readonly EvolutionEvent[],
): EvolutionEvent[] => [event, ...follow(evolutionFold.evolve(state, event))];

/** False for what is known already or comes too late. @throws CommandRefused for a candidate that was never asked for */
function isNews(state: EvolutionState, generation: number, candidate: string): boolean {
  if (state.status === 'missing') refuse('not-found', 'there is no such evolution');
  const { number, candidates, done } = state.generation;
  const index = Number(new RegExp(`^${generation}\\.([1-9]\\d*)$`).exec(candidate)?.[1] ?? 0);
  if (generation > number || index < 1 || index > state.plan.candidates)
    refuse('unknown-reference', `candidate "${candidate}" of generation ${generation} was not asked for`, {
      candidates,
    });
  return state.status === 'running' && generation === number && !done.has(candidate);
}

function running({ status }: EvolutionState, what: string): void {
  if (status === 'missing') refuse('not-found', 'there is no such evolution');
  if (status !== 'running')
    refuse('illegal-transition', `an evolution that is ${status} cannot ${what}`, { status, allowed: ['running'] });
}

type Reason = Extract<EvolutionEvent, { type: 'EvolutionCompleted' }>['data']['reason'];

/** What follows from a candidate that has just come in: nothing yet, the next generation, or the end. */
function afterCandidate(state: EvolutionState): EvolutionEvent[] {
  const { number, candidates, done, improved } = state.generation;
  if (done.size < candidates.length) {
    const reason = reasonToStopAtOnce(state);
    return reason === null ? [] : [completed(state, reason)];
  }
  const closed: EvolutionEvent = {
    type: 'EvolutionGenerationClosed',
    data: { ...state.run, generation: number, best: state.best, improved },
  };
  const after = evolutionFold.evolve(state, closed);
  const reason = reasonToStopAtOnce(after) ?? reasonToStopHere(after);
  return [closed, reason === null ? opened(after, number + 1) : completed(after, reason)];
}

/** What follows from the start: the first generation, unless there is nothing to do or nothing to spend. */
function afterStart(state: EvolutionState): EvolutionEvent[] {
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
  data: {
    ...state.run,
    ...{ reason, best: state.best, ranking: [...state.ranking] },
    ...{ commit: state.best?.commit ?? state.base, costUsd: state.spentUsd },
  },
});
