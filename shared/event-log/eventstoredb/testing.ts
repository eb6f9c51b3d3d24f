import { vi } from 'vitest';
import type { Batch, EventLog, SubscribeOptions } from '../port.ts';

export type Listener = {
  readonly batches: Batch[];
  /** Revisions that came of a stream, in the order in which they came. */
  revisions(stream: string): number[];
  /** Until so many events of the stream came. */
  heard(stream: string, count: number): Promise<unknown>;
  caughtUp(): Promise<unknown>;
  /** Ends the subscription. @throws what it ended with */
  stop(): Promise<void>;
};

const PATIENCE = { timeout: 30_000, interval: 10 };

/** Follows a log and notes what came. */
export function listen(log: EventLog, options: Omit<SubscribeOptions, 'signal'>): Listener {
  const stopping = new AbortController();
  const batches: Batch[] = [];
  const run = async (): Promise<void> => {
    for await (const batch of log.subscribe({ ...options, signal: stopping.signal })) batches.push(batch);
  };
  const running = run();
  running.catch(() => undefined);
  const revisions = (stream: string): number[] =>
    batches.flatMap(({ events }) => events.filter((event) => event.stream === stream).map(({ revision }) => revision));
  return {
    batches,
    revisions,
    heard: (stream, count) => vi.waitUntil(() => revisions(stream).length >= count, PATIENCE),
    caughtUp: () => vi.waitUntil(() => batches.some(({ caughtUp }) => caughtUp), PATIENCE),
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
