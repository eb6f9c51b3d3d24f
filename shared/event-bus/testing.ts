import { newId } from '../contexts/stream.ts';
import type { Context } from '../contexts/define-events.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';
import type { BusBatch, EventBus, Offset } from './port.ts';
import { partitionKey } from './port.ts';

export type TestConsumer = {
  readonly batches: BusBatch[];
  /** Where each partition goes on. */
  readonly progress: Map<string, Offset>;
  events(stream?: string): RecordedEvent[];
  /** Ends with `stop`, or with the failure of the bus. */
  readonly ended: Promise<void>;
  /** Stops it and waits for its end. */
  stop(): Promise<void>;
};

export type TestConsumerOptions = {
  readonly topics?: readonly Context[];
  readonly group?: string;
  readonly progress?: ReadonlyMap<string, Offset>;
  /** Runs before a batch is counted as handled; answers an offset to seek to it. */
  readonly handle?: (batch: BusBatch) => Promise<Offset | undefined> | Offset | undefined;
};

/** Consumes from a bus and keeps what it handled and how far it came. */
export function startConsumer(bus: EventBus, options: TestConsumerOptions = {}): TestConsumer {
  const progress = new Map(options.progress);
  const batches: BusBatch[] = [];
  const stopping = new AbortController();
  const { topics = ['task'], group = `test-${newId()}` } = options;
  const running = bus.consume(
    { group, topics, signal: stopping.signal },
    {
      resume: () => Promise.resolve(new Map(progress)),
      handle: async (batch) => {
        const seek = await options.handle?.(batch);
        batches.push(batch);
        const offset = seek ?? batch.next;
        progress.set(partitionKey(batch), offset);
        return offset;
      },
    },
  );
  return {
    batches,
    progress,
    ended: running,
    events: (stream) =>
      batches.flatMap(({ events }) => events.filter((event) => stream === undefined || event.stream === stream)),
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
