import type { EventLog } from '../../event-log/port.ts';
import type { LiveTail, Place, Stretch } from './live-tail.ts';
import { untilWoken } from './until-woken.ts';

export type FollowOptions = {
  /** Exclusive. */
  readonly after: bigint;
  /** Events of these stream types; once at the live tail, events of others come, too. */
  readonly streams: readonly string[];
  readonly signal: AbortSignal;
};

/**
 * The log from a position on, without a gap or a repeat: read by itself until it has caught up with the live tail, then what
 * the tail gives to all; by itself again after it was too slow for the tail. Ends when the signal aborts or the log is closed.
 */
export async function* followLog(log: EventLog, tail: LiveTail, options: FollowOptions): AsyncGenerator<Stretch> {
  const { signal, streams } = options;
  let position = options.after;
  while (!signal.aborted) {
    let place: Place | null = null;
    try {
      for await (const batch of log.subscribe({ after: position, streams, signal })) {
        position = batch.next;
        if (batch.caughtUp) place = tail.join(position);
        yield batch;
        // The tail may be a little ahead: from its place on, nothing is missed.
        if (place !== null && (position >= place.after || place.ended !== null)) break;
      }
      if (place === null) return;
      // What is before `after` would be a gap, should the tail have dropped this place already.
      if (position < place.after) continue;
      for await (const stretch of takeAll(place, signal)) {
        if (stretch.next <= position) continue;
        const seen = position;
        position = stretch.next;
        yield { events: stretch.events.filter((event) => event.position > seen), next: position };
      }
      if (place.ended?.failure) throw place.ended.failure;
    } finally {
      place?.leave();
    }
  }
}

async function* takeAll(place: Place, signal: AbortSignal): AsyncGenerator<Stretch> {
  while (!signal.aborted) {
    const stretch = place.waiting.shift();
    if (stretch !== undefined) yield stretch;
    else if (place.ended !== null) return;
    else await untilWoken(place, signal);
  }
}
