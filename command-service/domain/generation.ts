import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { generationCommands } from '@workledger/shared/contexts/evolution/generation/commands.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { generationFold, type GenerationState } from '@workledger/shared/contexts/evolution/generation/state.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';

export type GenerationDecisions = DataOf<typeof generationCommands>;

/** A request for code: one attempt at a time, one for each strategy named; when the last one fails, the request has failed. */
export const generation: Aggregate<GenerationState, GenerationEvent, GenerationDecisions> = {
  ...generationFold,
  decisions: {
    'generation.request': (data, state) => {
      if (state.status !== 'missing') refuse('already-exists', 'this generation was requested before');
      return [{ type: 'GenerationRequested', data }];
    },
    'generation.start-attempt': ({ attempt, strategy }, state) => {
      if (isCurrent(state, attempt, strategy)) return [];
      only(state, 'start another attempt', 'requested');
      if (attempt !== state.attempt + 1)
        refuse('illegal-transition', `attempt ${attempt} cannot start: the next one is ${state.attempt + 1}`);
      if (!state.strategies.includes(strategy))
        refuse('unknown-reference', `strategy "${strategy}" is not one of the request: ${state.strategies.join(', ')}`);
      return [{ type: 'GenerationAttemptStarted', data: { ...state.run, attempt, strategy } }];
    },
    'generation.fail-attempt': (data, state) => {
      running(state, data.attempt, data.strategy);
      const failed: GenerationEvent = { type: 'GenerationAttemptFailed', data: { ...state.run, ...data } };
      return data.attempt >= state.strategies.length
        ? [failed, { type: 'GenerationFailed', data: { ...state.run, failure: data.failure } }]
        : [failed];
    },
    'generation.succeed': (data, state) => {
      running(state, data.attempt, data.strategy);
      return [{ type: 'GenerationSucceeded', data: { ...state.run, ...data } }];
    },
    'generation.cancel': ({ reason }, state) => {
      if (state.status === 'cancelled') return [];
      only(state, 'be cancelled', 'requested', 'attempting');
      return [{ type: 'GenerationCancelled', data: { ...state.run, reason } }];
    },
  },
};

const isCurrent = (state: GenerationState, attempt: number, strategy: string): boolean =>
  state.status === 'attempting' && state.attempt === attempt && state.strategy === strategy;

function only(state: GenerationState, what: string, ...allowed: readonly GenerationState['status'][]): void {
  const { status } = state;
  if (status === 'missing') refuse('not-found', 'there is no such generation');
  if (!allowed.includes(status))
    refuse('illegal-transition', `a generation that is ${status} cannot ${what}`, { status, allowed });
}

function running(state: GenerationState, attempt: number, strategy: string): void {
  only(state, 'end an attempt', 'attempting');
  if (!isCurrent(state, attempt, strategy))
    refuse('illegal-transition', `attempt ${attempt} with "${strategy}" is not the running one`, {
      attempt: state.attempt,
      strategy: state.strategy,
    });
}
