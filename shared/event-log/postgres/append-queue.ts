import type { CheckedAppend } from '../check-append.ts';
import type { AppendResult } from '../port.ts';

export type QueuedAppend = {
  readonly append: CheckedAppend;
  /** On the monotonic clock, milliseconds. */
  readonly since: number;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
};

/** A batch is at most this large, so that nobody waits long for the others. */
const MAX_APPENDS = 500;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Splits a queue into the next batch and the rest, in order, at most one append a stream: the second of a stream builds on the
 * first and waits for it.
 */
export function takeBatch(queue: readonly QueuedAppend[]): { batch: QueuedAppend[]; rest: QueuedAppend[] } {
  const batch: QueuedAppend[] = [];
  const waiting: QueuedAppend[] = [];
  const streams = new Set<string>();
  let bytes = 0;
  let seen = 0;
  for (const queued of queue) {
    if (batch.length === MAX_APPENDS || bytes >= MAX_BYTES) break;
    seen += 1;
    if (streams.has(queued.append.stream)) {
      waiting.push(queued);
      continue;
    }
    streams.add(queued.append.stream);
    bytes += queued.append.bytes;
    batch.push(queued);
  }
  return { batch, rest: [...waiting, ...queue.slice(seen)] };
}
