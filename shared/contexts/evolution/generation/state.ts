import type { Fold } from '../../define-events.ts';
import type { GenerationEvent } from './events.ts';

export type GenerationState = {
  readonly status: 'missing' | 'requested' | 'attempting' | 'succeeded' | 'failed' | 'cancelled';
  readonly run: { readonly taskId: string; readonly runId: string };
  readonly strategies: readonly string[];
  /** The latest one, from 1; 0 before the first. */
  readonly attempt: number;
  readonly strategy: string | null;
};

function evolve(state: GenerationState, event: GenerationEvent): GenerationState {
  switch (event.type) {
    case 'GenerationRequested': {
      const { taskId, runId, strategies } = event.data;
      return { ...state, status: 'requested', run: { taskId, runId }, strategies };
    }
    case 'GenerationAttemptStarted':
      return { ...state, status: 'attempting', attempt: event.data.attempt, strategy: event.data.strategy };
    case 'GenerationAttemptFailed':
      return { ...state, status: 'requested' };
    case 'GenerationSucceeded':
      return { ...state, status: 'succeeded' };
    case 'GenerationFailed':
      return { ...state, status: 'failed' };
    case 'GenerationCancelled':
      return { ...state, status: 'cancelled' };
  }
}

export const generationFold: Fold<GenerationState, GenerationEvent> = {
  type: 'generation',
  initial: { status: 'missing', run: { taskId: '', runId: '' }, strategies: [], attempt: 0, strategy: null },
  evolve,
};
