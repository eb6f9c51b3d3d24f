import type { RecordedEvent } from '../../events/recorded-event.ts';
import { partitionKey, type BusBatch, type Consumer, type Offset } from '../port.ts';

export type SharedProgress = {
  /** A consumer that keeps its progress here, as every member of its group does. */
  consumer(name: string): Consumer;
  /** What was handled, in order, by whom. */
  readonly handled: { readonly by: string; readonly event: RecordedEvent }[];
  revisions(stream: string): number[];
};

/** Progress of a group in one place, as a database keeps it: a batch that does not start where the last one ended is stale. */
export function createSharedProgress(start: ReadonlyMap<string, Offset>): SharedProgress {
  const progress = new Map(start);
  const handled: { by: string; event: RecordedEvent }[] = [];
  return {
    handled,
    revisions: (stream) => handled.filter(({ event }) => event.stream === stream).map(({ event }) => event.revision),
    consumer: (by) => ({
      resume: () => Promise.resolve(new Map(progress)),
      handle: async (batch: BusBatch): Promise<Offset> => {
        // As long as a transaction takes: members overlap in it.
        await new Promise((resolve) => setTimeout(resolve, 2));
        const stored = progress.get(partitionKey(batch)) ?? 0n;
        if (stored !== batch.from) return stored;
        progress.set(partitionKey(batch), batch.next);
        for (const event of batch.events) handled.push({ by, event });
        return batch.next;
      },
    }),
  };
}
