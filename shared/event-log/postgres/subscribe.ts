import { setImmediate } from 'node:timers/promises';
import { type Page, readPage, type ReadPool, toRecordedEvents, firstWindow, nextWindow } from './read.ts';
import type { Batch, SubscribeOptions } from '../port.ts';
import { isUnavailable } from '../../resilience/outages/signs.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { backOff, pause } from '../../resilience/pause.ts';
import type { WakeUps } from '../../resilience/wake-ups.ts';

/** How subscriptions hear that there may be something new. */
export type HeadWatch = Pick<WakeUps, 'count'> & {
  /** Waits until there may be something new since that count. */
  next(signal: AbortSignal, seen: number): Promise<void>;
};

type Watching = {
  readonly wakeUps: WakeUps;
  /** The polling interval of this moment, in milliseconds. */
  poll(): number;
  readonly signal: AbortSignal;
};

/**
 * Looks at the log's head, as often as is asked for, while anybody waits, and wakes them all when it has moved: each of them looking for
 * itself would be a page of the log each time.
 */
export function createHeadWatch(look: () => Promise<bigint>, { wakeUps, poll, signal }: Watching): HeadWatch {
  let waiting = 0;
  let known = 0n;
  let isWatching = false;

  async function watch(): Promise<void> {
    const isWaitedFor = (): boolean => waiting > 0 && !signal.aborted;
    let failures = 0;
    isWatching = true;
    while (isWaitedFor()) {
      await pause(Math.max(poll(), failures === 0 ? 0 : backOff(failures, 50, 2_000)), signal);
      if (!isWaitedFor()) break;
      try {
        const head = await look();
        failures = 0;
        if (head === known) continue;
        known = head;
      } catch (error) {
        failures += 1;
        // A server that is away is asked again. What no waiting mends, each finds out when it reads.
        if (isUnavailable(error)) continue;
      }
      wakeUps.wake();
    }
    isWatching = false;
  }

  return {
    count: wakeUps.count,
    next: async (aborted, seen) => {
      waiting += 1;
      if (!isWatching) void watch();
      await wakeUps.next(null, aborted, seen);
      waiting -= 1;
    },
  };
}

/**
 * Follows the log: when it has moved, the next page is read. While the consumer is busy, the next page comes. A database that
 * goes away is waited for.
 * @throws Error only for what no waiting can mend
 */
export async function* subscribe(pool: ReadPool, watch: HeadWatch, options: SubscribeOptions): AsyncGenerator<Batch> {
  const { signal } = options;
  let after = options.after ?? 0n;
  let window = firstWindow;
  let caughtUp = false;
  let seen = watch.count();
  let coming = readPatiently(pool, after, window, options);
  for (;;) {
    const page = await coming;
    if (page === null || signal.aborted) return;
    const isAtEnd = page.next >= page.head;
    const isFirstEnd = isAtEnd && !caughtUp;
    const hasNews = page.next > after || isFirstEnd;
    caughtUp ||= isAtEnd;
    window = nextWindow(window, after, page);
    after = page.next;
    if (!isAtEnd) {
      coming = readPatiently(pool, after, window, options);
      // pg sends a query when the event loop turns; without a turn, the server would idle until this page is used up.
      await setImmediate();
      if (signal.aborted) return;
    }
    if (hasNews) yield { events: toRecordedEvents(page.lines), next: page.next, caughtUp: isFirstEnd };
    if (!isAtEnd) continue;
    await watch.next(signal, seen);
    seen = watch.count();
    coming = readPatiently(pool, after, window, options);
  }
}

/** @returns null when the signal aborted */
function readPatiently(pool: ReadPool, after: bigint, window: number, options: SubscribeOptions): Promise<Page | null> {
  const { signal } = options;
  const end = after + BigInt(window);
  const page = keepTrying(() => untilAborted(readPage(pool, after, end, options), signal), {
    signal,
    shortest: 50,
    longest: 2_000,
    retryWhile: isUnavailable,
  });
  // It is awaited when its turn comes; until then a failure is not unheard.
  page.catch(() => undefined);
  return page;
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(null);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
