import { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { checkCommit, type Expected } from './check-commit.ts';

export type ProposedEvent = {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
};

export type StoredEvent = ProposedEvent & {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  /** Milliseconds since 1970. */
  readonly created: number;
};

export type Outcome =
  | { readonly kind: 'written'; readonly revision: number; readonly position: bigint }
  | { readonly kind: 'conflict'; readonly actual: number }
  /** The same append is being written: the server forgets this one, and answers with a time-out. */
  | { readonly kind: 'under-way' };

export type MemoryLog = {
  append(stream: string, expected: Expected, events: readonly ProposedEvent[]): Promise<Outcome>;
  /** Everything that readers see, in the order of positions. */
  readonly all: readonly StoredEvent[];
  stream(name: string): readonly StoredEvent[];
  /** The place in `all` of the event at a position; -1 when there is none. */
  indexOf(position: bigint): number;
  /** Called with each event that readers see from now on. @returns what ends that */
  onEvent(listener: (event: StoredEvent) => void): () => void;
};

/** After so many events the server writes its own statistics. */
const STATISTICS_EVERY = 25;
const RECORD_OVERHEAD = 128;

/** What a single node keeps: an append is accepted first, and seen by readers a moment later. */
export function createMemoryLog(): MemoryLog {
  const all: StoredEvent[] = [];
  const accepted = new Map<string, string[]>();
  const seen = new Map<string, StoredEvent[]>();
  const indexes = new Map<bigint, number>();
  const emitter = new EventEmitter().setMaxListeners(0);
  let position = 0n;
  let tail = Promise.resolve();

  const store = (stream: string, proposed: ProposedEvent): StoredEvent => {
    const events = seen.get(stream) ?? [];
    const event = { ...proposed, stream, revision: events.length, position, created: Date.now() };
    position += BigInt(RECORD_OVERHEAD + stream.length + proposed.data.length + proposed.metadata.length);
    seen.set(stream, events);
    events.push(event);
    indexes.set(event.position, all.length);
    all.push(event);
    emitter.emit('event', event);
    return event;
  };
  const storeStatistics = (): void => {
    if (all.length % STATISTICS_EVERY === 0) store('$stats-127.0.0.1:2113', systemEvent('$statsCollected'));
  };
  store('$metaepoch', systemEvent('$epoch-information'));
  store('$users', systemEvent('$UserCreated'));

  return {
    all,
    stream: (name) => seen.get(name) ?? [],
    indexOf: (wanted) => indexes.get(wanted) ?? -1,
    onEvent: (listener) => {
      emitter.on('event', listener);
      return () => emitter.off('event', listener);
    },
    append: async (stream, expected, events) => {
      const ids = accepted.get(stream) ?? [];
      const decision = checkCommit(
        ids,
        expected,
        events.map(({ id }) => id),
      );
      if (decision.kind === 'conflict') return decision;
      if (decision.kind === 'repeat') {
        const last = seen.get(stream)?.[decision.last];
        return last === undefined ? { kind: 'under-way' } : { kind: 'written', ...last };
      }
      accepted.set(stream, ids);
      ids.push(...events.map(({ id }) => id));
      let last: StoredEvent | undefined;
      tail = tail.then(async () => {
        await setImmediate();
        for (const event of events) last = store(stream, event);
        storeStatistics();
      });
      await tail;
      return { kind: 'written', revision: last?.revision ?? 0, position: last?.position ?? 0n };
    },
  };
}

const systemEvent = (type: string): ProposedEvent => ({
  id: randomUUID(),
  type,
  contentType: 'application/json',
  data: Buffer.from('{}'),
  metadata: new Uint8Array(),
});
