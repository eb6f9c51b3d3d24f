import type { Principal } from '@workledger/shared/http/route.ts';
import type { Frame } from './feed.ts';

/** Bytes that wait for one who reads slowly; beyond it is dropped. */
const MOST_WAITING = 1024 * 1024;

/** `beat`: the line lives. */
export type Item =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'beat' }
  | { readonly kind: 'closing'; readonly reason: string };

/** One line to one listener: what waits for it is bounded, and whoever writes it out takes it when the last is written. */
export type Listener = {
  readonly principal: Principal;
  readonly authorization: string;
  /** Milliseconds since 1970 when its key ends; Infinity: never. */
  readonly expiresAt: number;
  /** Milliseconds on the monotonic clock: when its key was looked at last. */
  checkedAt: number;
  push(frame: Frame): void;
  beat(): void;
  /** The last that it hears. What waits is thrown away where it was dropped. */
  close(reason: string, throwAway?: boolean): void;
  isClosed(): boolean;
  /** The next item; null: the signal aborted, or the closing was taken. */
  next(signal: AbortSignal): Promise<Item | null>;
  /** Notes what was written out: from there on it goes on. */
  wrote(position: bigint | null): void;
  /** Up to where nothing is missing to it. @param told up to where all others were told */
  heard(told: bigint): bigint;
};

/** What one listens to on a line. */
export type Subscription = {
  readonly listener: Listener;
  readonly feed: string;
  /** As it was asked for. */
  readonly name: string;
  readonly keys: Set<string>;
  /** What comes while it catches up; null: it has. */
  held: Frame[] | null;
  /** It has heard what is up to here. */
  after: bigint;
};

export function createListener(
  caller: Pick<Listener, 'principal' | 'authorization' | 'expiresAt'>,
  start: bigint,
): Listener {
  let waiting: Item[] = [];
  let bytes = 0;
  let closed = false;
  let wake: (() => void) | null = null;
  /** Up to here it was written out. */
  let written = start;

  const put = (item: Item): void => {
    waiting.push(item);
    wake?.();
  };
  const close: Listener['close'] = (reason, throwAway = false) => {
    if (closed) return;
    closed = true;
    if (throwAway) waiting = [];
    put({ kind: 'closing', reason });
  };

  return {
    ...caller,
    checkedAt: performance.now(),
    push: (frame) => {
      if (closed) return;
      bytes += frame.data.length;
      if (bytes > MOST_WAITING) return close('slow-reader', true);
      put({ kind: 'frame', frame });
    },
    beat: () => {
      if (!closed && waiting.length === 0) put({ kind: 'beat' });
    },
    close,
    isClosed: () => closed,
    wrote: (position) => {
      written = position ?? written;
    },
    // Of one that is closed something was thrown away, or not even handed to it.
    heard: (told) => (closed || waiting.length > 0 ? written : told),
    next: async (signal) => {
      while (waiting.length === 0) {
        if (signal.aborted) return null;
        await new Promise<void>((resolve) => {
          const go = (): void => {
            wake = null;
            signal.removeEventListener('abort', go);
            resolve();
          };
          wake = go;
          signal.addEventListener('abort', go);
        });
      }
      const item = waiting.shift() as Item;
      if (item.kind === 'frame') bytes -= item.frame.data.length;
      return item;
    },
  };
}
