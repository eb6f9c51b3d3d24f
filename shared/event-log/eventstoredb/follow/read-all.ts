import type { RecordedEvent } from '../../../events/recorded-event.ts';
import type { ReadAllOptions } from '../../port.ts';
import { follow, type FollowSettings } from './follow.ts';

/**
 * Reads a range of the log as a filtered subscription that ends: with the first event behind `until`, or when the server says
 * that it looked at everything up to there (the last event that passes the filter may lie far before it).
 * @param head position of the log's last event
 * @param closing aborts when the log is closed
 */
export async function* readAll(
  settings: FollowSettings,
  head: () => Promise<bigint>,
  { signal, ...options }: ReadAllOptions,
  closing: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  signal?.throwIfAborted();
  const end = await head();
  const until = options.until === undefined || options.until > end ? end : options.until;
  const after = options.after ?? 0n;
  if (after >= until) return;
  const stopping = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  for await (const { events, next, searchedTo, caughtUp } of follow(settings, { ...options, after }, stopping)) {
    for (const event of events) {
      if (event.position > until) return;
      yield event;
      signal?.throwIfAborted();
    }
    if (next >= until || searchedTo > until || caughtUp) return;
  }
  signal?.throwIfAborted();
  throw new Error('reading the log: the event log was closed before the end was reached');
}
