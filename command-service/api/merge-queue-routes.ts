import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { intention } from './command-route.ts';

/** What people may do to a merge queue. */
export const mergeQueueRoutes = (commands: Commands): Route[] => [
  intention(commands, {
    method: 'post',
    path: '/api/v1/merge-queues/{id}/release',
    type: 'merge-queue.release',
    summary: 'Take the turn from a run that stands still',
    description:
      'The id is the `queueId` that `GET /api/v1/merge-queues` tells. The next run has its turn; the one whose turn or place was taken ' +
      'queues again as soon as it goes on.',
  }),
];
