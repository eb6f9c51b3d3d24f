import { LRUCache } from 'lru-cache';
import { sizeInMemory } from '../events/event-size.ts';
import type { FoldedStream } from './folded-stream.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** Folded streams in memory, bounded by an estimate of their bytes; what was used longest ago is dropped first. */
export type StreamCache = {
  get(stream: string): FoldedStream<unknown> | undefined;
  /** Puts it in, or notes what it has grown to. One that is larger than the whole cache is not kept. */
  keep(folded: FoldedStream<unknown>): void;
  forget(stream: string): void;
  /** What all that is kept is estimated at. */
  bytes(): number;
};

/** Its state was measured at `measuredAt`, a revision. */
type Entry = { readonly folded: FoldedStream<unknown>; readonly state: number; readonly measuredAt: number };

const BYTES_OF_STREAM = 600;
const BYTES_OF_COMMAND = 300;
/** An event adds about so much at most to what is kept; a state is measured again when that could be an eighth of it. */
const BYTES_OF_EVENT = 512;

/** @param maxBytes of all streams together; default 64 MiB */
export function createStreamCache(maxBytes: number = MAX_BYTES): StreamCache {
  const cache = new LRUCache<string, Entry>({ maxSize: maxBytes });

  const measure = (folded: FoldedStream<unknown>): Entry => {
    const before = cache.peek(folded.stream);
    const grown = (folded.revision - (before?.measuredAt ?? -1)) * BYTES_OF_EVENT;
    return before?.folded === folded && grown * 8 <= before.state
      ? { ...before }
      : { folded, state: sizeInMemory(folded.state), measuredAt: folded.revision };
  };

  return {
    get: (stream) => cache.get(stream)?.folded,
    keep: (folded) => {
      const entry = measure(folded);
      const size = BYTES_OF_STREAM + entry.state + BYTES_OF_COMMAND * folded.commands.recent.size;
      cache.set(folded.stream, entry, { size });
    },
    forget: (stream) => void cache.delete(stream),
    bytes: () => cache.calculatedSize,
  };
}
