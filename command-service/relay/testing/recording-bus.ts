import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

type Publish = EventBus['publish'];

/**
 * A bus that keeps what it was given, whole batches, and whose next answers a test decides. What fails is kept, too, when it
 * `arrives`: as with a real bus, the sender cannot know.
 */
export type RecordingBus = {
  readonly publish: Publish;
  /** Batches that arrived, in their order. */
  readonly batches: (readonly RecordedEvent[])[];
  events(stream?: string): RecordedEvent[];
  /** How many calls there were, and how many of them are not answered yet. */
  readonly calls: () => number;
  readonly pending: () => number;
  /** From now on, until it is called again: what each call does. */
  behave(
    behaviour: (events: readonly RecordedEvent[]) => Promise<'arrived' | 'lost' | 'failed after it arrived'>,
  ): void;
};

export function createRecordingBus(): RecordingBus {
  const batches: (readonly RecordedEvent[])[] = [];
  let calls = 0;
  let pending = 0;
  let behaviour: Parameters<RecordingBus['behave']>[0] = () => Promise.resolve('arrived');
  return {
    batches,
    events: (stream) => batches.flat().filter((event) => stream === undefined || event.stream === stream),
    calls: () => calls,
    pending: () => pending,
    behave: (next) => {
      behaviour = next;
    },
    publish: async (events) => {
      calls += 1;
      pending += 1;
      try {
        const outcome = await behaviour(events);
        if (outcome !== 'lost') batches.push(events);
        if (outcome !== 'arrived') throw new Error(`the bus does not answer (${outcome})`);
      } finally {
        pending -= 1;
      }
    },
  };
}

type Answer = 'arrived' | 'lost';

/** An answer that a test gives when it likes. */
export function createHeldAnswer(): { readonly given: Promise<Answer>; give(answer: Answer): void } {
  let give: (answer: Answer) => void = () => undefined;
  const given = new Promise<Answer>((resolve) => (give = resolve));
  return { given, give: (answer) => give(answer) };
}
