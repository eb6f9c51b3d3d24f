import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import { mergePlaceModel, type MergePlaceRow } from '@workledger/shared/contexts/evolution/merge-queue/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { mergeQueuesMigrations } from './migration.ts';

/** A row a run: the newest of its places in the queue of its repository and base branch. */
export const mergeQueues = defineProjection<MergePlaceRow, Recorded<MergeQueueEvent>>(mergePlaceModel, {
  migrations: mergeQueuesMigrations,
  key: ({ data }) => [data.runId],
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'MergeQueued': {
        const { taskId, repository, baseBranch } = event.data;
        const place = { id, revision, taskId, queueId: streamId(event.stream), repository, baseBranch };
        return { ...place, state: 'waiting', reason: null, queuedAt: at, turnBeganAt: null, endedAt: null };
      }
      case 'MergeTurnBegan':
        return row && { ...row, revision, state: 'turn', turnBeganAt: at };
      case 'MergeTurnEnded': {
        // A run that left before it came has no row.
        const { outcome, reason } = event.data;
        return row && { ...row, revision, state: outcome, reason, endedAt: at };
      }
    }
  },
});
