import { type Fold, plainSnapshot } from '../../define-events.ts';
import type { MergeQueueEvent } from './events.ts';

export type Place = { readonly taskId: string; readonly runId: string };

export type MergeQueueState = {
  /** Whose turn it is. */
  readonly turn: Place | null;
  /** In the order of their coming. */
  readonly waiting: readonly Place[];
  /** Runs that left for good before they had come, newest last: a command of theirs may still be on its way. */
  readonly gone: readonly string[];
};

/** So many at least would have to leave within the seconds that a command is on its way, for one to be forgotten. */
const MOST_GONE = 200;

/** The place of a run; null when it has none. */
export const placeOf = ({ turn, waiting }: MergeQueueState, runId: string): Place | null =>
  (turn?.runId === runId ? turn : waiting.find((place) => place.runId === runId)) ?? null;

function evolve(state: MergeQueueState, { type, data }: MergeQueueEvent): MergeQueueState {
  const { taskId, runId } = data;
  switch (type) {
    case 'MergeQueued':
      return { ...state, waiting: [...state.waiting, { taskId, runId }] };
    case 'MergeTurnBegan':
      return { ...state, turn: { taskId, runId }, waiting: without(state.waiting, runId) };
    case 'MergeTurnEnded':
      if (placeOf(state, runId) === null) return { ...state, gone: [...state.gone, runId].slice(-MOST_GONE) };
      return {
        ...state,
        turn: state.turn?.runId === runId ? null : state.turn,
        waiting: without(state.waiting, runId),
      };
  }
}

const without = (places: readonly Place[], runId: string): readonly Place[] =>
  places.filter((place) => place.runId !== runId);

export const mergeQueueFold: Fold<MergeQueueState, MergeQueueEvent> = {
  type: 'merge-queue',
  initial: { turn: null, waiting: [], gone: [] },
  snapshot: plainSnapshot(1),
  evolve,
};
