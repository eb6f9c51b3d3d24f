import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/commands/catalogue.ts';
import type { evolutionCommands } from '@workledger/shared/commands/evolution.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { EvolutionEvent } from '@workledger/shared/events/evolution.ts';
import { evolveEvolution, noEvolution, type EvolutionState } from './evolution-state.ts';
import { afterCandidate, afterStart } from './next-step.ts';

type Commands = DataOf<typeof evolutionCommands>;
export type EvolutionDecisions = Pick<Commands, Extract<keyof Commands, `evolution.${string}`>>;

/**
 * Best-of-n, generation after generation: the aggregate itself says what is tried next and when to stop. What comes in late,
 * when all is decided, changes nothing.
 */
export const evolution: Aggregate<EvolutionState, EvolutionEvent, EvolutionDecisions> = {
  type: 'evolution',
  initial: noEvolution,
  evolve: evolveEvolution,
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
        : [],
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

const withWhatFollows = (
  state: EvolutionState,
  event: EvolutionEvent,
  follow: (state: EvolutionState) => readonly EvolutionEvent[],
): EvolutionEvent[] => [event, ...follow(evolveEvolution(state, event))];

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
