import type { Batch, EventLog } from '../../event-log/port.ts';
import { sizeOfEvents } from '../../events/event-size.ts';
import { createWakeUps, type WakeUps } from '../../resilience/wake-ups.ts';

/** What the log has, and how far everything was seen. */
export type Stretch = Pick<Batch, 'events' | 'next'>;

/** Whoever has so many events before it, or so many bytes, is too slow to stay: nobody else waits, and memory stays bounded. */
const MOST_WAITING = 2_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Where one follower stands at the live tail. */
export type Place = {
  /** Something came, or the place has ended. */
  readonly wakeUps: WakeUps;
  /** Everything behind this position comes to this place, until it ends. */
  readonly after: bigint;
  /** What came, in order; the follower takes it from the front. */
  readonly waiting: (Stretch & { readonly bytes: number })[];
  /** Nothing more comes: the follower was too slow, or the log was closed, or reading failed for good. */
  ended: { readonly failure: Error | null } | null;
  leave(): void;
};

export type LiveTail = {
  /** Takes a place. The first one decides where the tail starts; without any place nothing is read. */
  join(position: bigint): Place;
};

type Run = { position: bigint; readonly places: Set<Place>; readonly stopping: AbortController };

/** One subscription of the log for all who have caught up with it. It waits for nobody. */
export function createLiveTail(log: EventLog): LiveTail {
  let current: Run | null = null;

  const start = (position: bigint): Run => {
    const run: Run = { position, places: new Set(), stopping: new AbortController() };
    current = run;
    void read(run);
    return run;
  };

  const read = async (run: Run): Promise<void> => {
    let failure: Error | null = null;
    try {
      for await (const batch of log.subscribe({ after: run.position, signal: run.stopping.signal })) {
        // In one go: who joins now gets what comes next, and nothing twice.
        run.position = batch.next;
        const stretch = { ...batch, bytes: sizeOfEvents(batch.events) };
        for (const place of [...run.places]) offer(run, place, stretch);
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error('the log cannot be followed', { cause: error });
    }
    for (const place of [...run.places]) end(run, place, failure);
  };

  const offer = (run: Run, place: Place, stretch: Place['waiting'][number]): void => {
    if (isTooSlow(place)) return end(run, place, null);
    place.waiting.push(stretch);
    place.wakeUps.wake();
  };

  const end = (run: Run, place: Place, failure: Error | null): void => {
    place.ended = { failure };
    leave(run, place);
    place.wakeUps.wake();
  };

  const leave = (run: Run, place: Place): void => {
    run.places.delete(place);
    if (run.places.size > 0) return;
    if (current === run) current = null;
    run.stopping.abort();
  };

  return {
    join: (position) => {
      const run = current ?? start(position);
      const place: Place = {
        after: run.position,
        waiting: [],
        ended: null,
        wakeUps: createWakeUps(),
        leave: () => leave(run, place),
      };
      run.places.add(place);
      return place;
    },
  };
}

function isTooSlow({ waiting }: Place): boolean {
  let count = 0;
  let bytes = 0;
  for (const stretch of waiting) {
    count += stretch.events.length;
    bytes += stretch.bytes;
  }
  return count >= MOST_WAITING || bytes >= MOST_BYTES;
}

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
    else await place.wakeUps.next(null, signal);
  }
}
