import { setImmediate } from 'node:timers/promises';
import { START } from '@eventstore/db-client';
import type { AllStreamResolvedEvent, AllStreamSubscription, EventStoreDBClient } from '@eventstore/db-client';
import type { EventFilter } from '../../port.ts';
import { toServerFilter } from './filter.ts';

/** Events that wait in memory at most, and their bytes, about; behind them the connection's flow control holds the server back. */
const MOST_WAITING = 256;
const MOST_BYTES = 1024 * 1024;
/** Events that the client's own stream keeps, on either side, while nobody takes them: whatever their size. */
const BUFFERED = 4;
const MOST_TURNS = 20;

/** One subscription as long as it lives: it never reconnects. */
export type Subscription = {
  /** Waits as long as turns of the event loop bring more: messages come one by one, and whoever takes each alone is slow. */
  gather(): Promise<void>;
  /** What has come, and nothing when nothing has; waits for neither. */
  take(): AllStreamResolvedEvent[];
  /** The server has said that it serves this subscription. */
  isConfirmed(): boolean;
  /** Everything up to the head that the server had when it was asked has been taken. */
  hasCaughtUp(): boolean;
  /** The server has looked at everything before this commit position. */
  searchedTo(): bigint;
  /** Why nothing more comes; null while it lives. Told only when everything that came was taken. */
  failure(): Error | null;
  /** Ends when something has come, or after so many milliseconds of silence, or when the signal aborts. @returns whether it was silent */
  wait(milliseconds: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
};

/** @param after exclusive; one that the log gave */
export function openSubscription(client: EventStoreDBClient, after: bigint, filter: EventFilter): Subscription {
  let failure: Error | null = null;
  let waiting: AllStreamResolvedEvent[] = [];
  let bytes = 0;
  let isConfirmed = false;
  let saysCaughtUp = false;
  let searched = 0n;
  let hasNews = false;
  let wake: () => void = () => undefined;
  const news = (): void => {
    hasNews = true;
    wake();
  };
  const fail = (error: Error): void => {
    failure ??= error;
    news();
  };

  const serverFilter = toServerFilter(filter, (commit) => {
    searched = commit;
    news();
  });
  const fromPosition = after === 0n ? START : { commit: after, prepare: after };
  const subscription: AllStreamSubscription = client.subscribeToAll(
    { fromPosition, filter: serverFilter },
    { highWaterMark: BUFFERED },
  );
  // The listener for errors stays for good: one that comes after `close` would end the process.
  subscription.on('error', fail);
  subscription.on('end', () => fail(new Error('EventStoreDB ended the subscription')));
  subscription.on('close', () => fail(new Error('the subscription was closed')));
  subscription.on('confirmation', () => {
    isConfirmed = true;
    news();
  });
  subscription.on('data', (event: AllStreamResolvedEvent) => {
    waiting.push(event);
    bytes += sizeOf(event);
    if (waiting.length >= MOST_WAITING || bytes >= MOST_BYTES) subscription.pause();
    news();
  });
  subscription.on('caughtUp', () => {
    saysCaughtUp = true;
    news();
  });

  const isDrained = (): boolean => waiting.length === 0 && subscription.readableLength === 0;

  return {
    gather: async () => {
      let before = -1;
      for (let turns = 0; turns < MOST_TURNS && waiting.length > before && !subscription.isPaused(); turns++) {
        before = waiting.length;
        await setImmediate();
      }
    },
    take: () => {
      const events = waiting;
      waiting = [];
      bytes = 0;
      if (subscription.isPaused()) subscription.resume();
      return events;
    },
    isConfirmed: () => isConfirmed,
    hasCaughtUp: () => saysCaughtUp && isDrained(),
    searchedTo: () => (isDrained() ? searched : 0n),
    failure: () => (isDrained() ? failure : null),
    wait: async (milliseconds, signal) => {
      if (!hasNews && !signal.aborted)
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            wake = () => undefined;
            resolve();
          };
          const timer = setTimeout(done, milliseconds);
          signal.addEventListener('abort', done, { once: true });
          wake = done;
        });
      const wasSilent = !hasNews && !signal.aborted;
      hasNews = false;
      return wasSilent;
    },
    close: () => {
      subscription.unsubscribe().catch(() => undefined);
      subscription.destroy();
    },
  };
}

/** Bytes of an event's data, about: the client gives it parsed. */
const sizeOf = ({ event }: AllStreamResolvedEvent): number =>
  event === undefined ? 0 : event.isJson ? JSON.stringify(event.data).length : event.data.byteLength;
