import type { AllStreamResolvedEvent } from '@eventstore/db-client';
import type { RecordedEvent } from '../../../events/recorded-event.ts';
import { backOff, pause } from '../../../resilience/pause.ts';
import type { EventFilter, ReadAllOptions, Batch, SubscribeOptions } from '../../port.ts';
import type { Connection } from '../connection/connection.ts';
import { isPassing, ServerAway, toFailure } from '../connection/failures.ts';
import { toRecordedEvent } from '../read/recorded-event.ts';
import { toTest } from './filter.ts';
import { openSubscription, type Subscription } from './subscription.ts';
import { createWatchdog, type Watchdog, type WatchdogSettings } from './watchdog.ts';

export type FollowSettings = WatchdogSettings & {
  readonly connection: Connection;
  /** How long to go on without any progress, in milliseconds; default: for ever. */
  readonly patience?: number;
  /** Told once an outage. */
  readonly onError: (error: Error) => void;
};

/** What came, and how far everything was seen. */
export type Stretch = {
  readonly events: readonly RecordedEvent[];
  /** Of the last event that came, whether it was asked for or not. */
  readonly next: bigint;
  /** The server has looked at everything before this position. */
  readonly searchedTo: bigint;
  /** Everything up to the head that the server had when it was asked has come. */
  readonly caughtUp: boolean;
};

/** What says "no" so many times in a row will not say "yes". */
const MOST_REFUSALS = 3;
const SLOW_CONSUMER = 'timeout';

/**
 * Events after a position, across whatever happens to connection and server: each new subscription begins behind the last event
 * that was handed out. The server drops who is slow while live; then it is read again from there, which does not hurry.
 * @throws ServerAway when the patience is over; the server's error when it refuses again and again
 */
async function* follow(
  settings: FollowSettings,
  filter: EventFilter & { readonly after: bigint },
  signal: AbortSignal,
): AsyncGenerator<Stretch> {
  const isWanted = toTest(filter);
  let position = filter.after;
  let progress = performance.now();
  let failures = 0;
  let refusals = 0;
  const watchdog = createWatchdog(settings);
  while (!signal.aborted) {
    const subscription = openSubscription(settings.connection.client(), position, filter);
    try {
      for await (const { raw, ...seen } of stretches(subscription, watchdog, () => position, signal)) {
        position = raw.at(-1)?.event?.position.commit ?? position;
        failures = 0;
        refusals = 0;
        yield { events: toWanted(raw, isWanted), next: position, ...seen };
        progress = performance.now();
        if (signal.aborted) return;
      }
    } catch (caught) {
      if (signal.aborted) return;
      const error = toFailure('reading the log', caught as Error);
      refusals = isPassing(error) ? 0 : refusals + 1;
      if (refusals >= MOST_REFUSALS) throw error;
      if (failures === 0 && !isSlowConsumer(error)) settings.onError(error);
      if (performance.now() - progress > (settings.patience ?? Infinity))
        throw new ServerAway(`reading the log after ${position}`, error);
      await pause(backOff(failures, 50, 2_000), signal);
      failures += 1;
    } finally {
      subscription.close();
    }
  }
}

type RawStretch = Omit<Stretch, 'events' | 'next'> & { readonly raw: readonly AllStreamResolvedEvent[] };

/** Of one subscription. Ends when the watchdog wants another one, or the signal aborts. */
async function* stretches(
  subscription: Subscription,
  watchdog: Watchdog,
  position: () => bigint,
  signal: AbortSignal,
): AsyncGenerator<RawStretch> {
  let saidCaughtUp = false;
  let searchedTo = 0n;
  while (!signal.aborted) {
    await subscription.gather();
    const raw = subscription.take();
    const isCaughtUp: boolean = !saidCaughtUp && subscription.hasCaughtUp();
    const searched = subscription.searchedTo();
    if (raw.length > 0 || isCaughtUp || searched > searchedTo) {
      if (isCaughtUp) saidCaughtUp = true;
      if (searched > searchedTo) searchedTo = searched;
      if (raw.length > 0) watchdog.heard();
      yield { raw, searchedTo, caughtUp: isCaughtUp };
      continue;
    }
    const failure = subscription.failure();
    if (failure !== null) throw failure;
    const wasSilent = await subscription.wait(watchdog.limit(subscription), signal);
    if (wasSilent && (await watchdog.wantsAnother(subscription, position()))) return;
  }
}

function toWanted(
  raw: readonly AllStreamResolvedEvent[],
  isWanted: (event: RecordedEvent) => boolean,
): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const resolved of raw) {
    const event = toRecordedEvent(resolved);
    if (event !== null && isWanted(event)) events.push(event);
  }
  return events;
}

const isSlowConsumer = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && error.type === SLOW_CONSUMER;

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

/** Follows the log until the signal aborts. A server that goes away is waited for. */
export async function* subscribe(
  settings: FollowSettings,
  { signal, ...options }: SubscribeOptions,
): AsyncGenerator<Batch> {
  let next = options.after ?? 0n;
  let saidCaughtUp = false;
  for await (const stretch of follow(settings, { ...options, after: next }, signal)) {
    const isFirst: boolean = stretch.caughtUp && !saidCaughtUp;
    if (stretch.next <= next && !isFirst) continue;
    next = stretch.next;
    if (isFirst) saidCaughtUp = true;
    yield { events: stretch.events, next, caughtUp: isFirst };
  }
}
