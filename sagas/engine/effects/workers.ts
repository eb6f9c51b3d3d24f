import { EventEmitter } from 'node:events';
import type { WorkerEvents } from 'graphile-worker';

/** Ids under which this process holds jobs: those of the queue's worker pools. Random, so no two processes share one. */
export type Workers = { readonly ids: Set<string> };

export const createWorkers = (): Workers => ({ ids: new Set() });

/** Learns the ids from the queue's own events. */
export function workerEvents({ ids }: Workers): WorkerEvents {
  const events = new EventEmitter() as WorkerEvents;
  events.on('pool:create', ({ workerPool }) => ids.add(workerPool.id));
  events.on('pool:release', ({ workerPool }) => ids.delete(workerPool.id));
  return events;
}
