import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { mergeQueueCommands } from '@workledger/shared/contexts/evolution/merge-queue/commands.ts';
import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import {
  mergeQueueFold,
  type MergeQueueState,
  placeOf,
} from '@workledger/shared/contexts/evolution/merge-queue/state.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';

export type MergeQueueDecisions = DataOf<typeof mergeQueueCommands>;

type Ended = Extract<MergeQueueEvent, { type: 'MergeTurnEnded' }>;

/**
 * Whose turn it is to merge into one branch. The turn passes on in the append that ends it, so there is nobody who has to pass it on
 * and might die.
 */
export const mergeQueue: Aggregate<MergeQueueState, MergeQueueEvent, MergeQueueDecisions> = {
  ...mergeQueueFold,
  decisions: {
    'merge-queue.enter': (data, state) => {
      const { taskId, runId } = data;
      if (placeOf(state, runId) !== null || state.gone.includes(runId)) return [];
      const queued: MergeQueueEvent = { type: 'MergeQueued', data };
      return state.turn === null ? [queued, { type: 'MergeTurnBegan', data: { taskId, runId } }] : [queued];
    },
    'merge-queue.leave': (data, state) => {
      if (placeOf(state, data.runId) !== null) return passOn(state, data);
      // Whoever ends for good while its wish to enter is on its way must not be let in by it.
      const isLast = data.outcome !== 'sent-back' && !state.gone.includes(data.runId);
      return isLast ? [{ type: 'MergeTurnEnded', data }] : [];
    },
    'merge-queue.release': ({ runId, reason }, state) => {
      const place = placeOf(state, runId);
      if (place === null) return refuse('not-found', `run ${runId} has no place in this merge queue`);
      return passOn(state, { ...place, outcome: 'released', reason });
    },
  },
};

function passOn({ turn, waiting }: MergeQueueState, data: Ended['data']): readonly MergeQueueEvent[] {
  const ended: Ended = { type: 'MergeTurnEnded', data };
  const [next] = waiting;
  return turn?.runId === data.runId && next !== undefined ? [ended, { type: 'MergeTurnBegan', data: next }] : [ended];
}
