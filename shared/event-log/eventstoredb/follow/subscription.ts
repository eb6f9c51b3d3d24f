import { setImmediate } from 'node:timers/promises';
import { START } from '@eventstore/db-client';
import type { AllStreamResolvedEvent, AllStreamSubscription, EventStoreDBClient } from '@eventstore/db-client';
import type { EventFilter } from '../../port.ts';
import { toServerFilter } from './filter.ts';

/** Events that wait in memory at most; behind them the connection's flow control holds the server back. */
const MOST_WAITING = 256;
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
    { highWaterMark: MOST_WAITING },
  );
  // The listener for errors stays for good: one that comes after `close` would end the process.
  subscription.on('error', fail);
  subscription.on('end', () => fail(new Error('EventStoreDB ended the subscription')));
  subscription.on('close', () => fail(new Error('the subscription was closed')));
  subscription.on('confirmation', () => {
    isConfirmed = true;
    news();
  });
  subscription.on('readable', news);
  subscription.on('caughtUp', () => {
    saysCaughtUp = true;
    news();
  });

  return {
    gather: async () => {
      let before = -1;
      for (let turns = 0; turns < MOST_TURNS && subscription.readableLength > before; turns++) {
        before = subscription.readableLength;
        await setImmediate();
      }
    },
    take: () => {
      const events: AllStreamResolvedEvent[] = [];
      for (let count = 0; count < MOST_WAITING; count++) {
        const event = subscription.read() as AllStreamResolvedEvent | null;
        if (event === null) break;
        events.push(event);
      }
      return events;
    },
    isConfirmed: () => isConfirmed,
    hasCaughtUp: () => saysCaughtUp && subscription.readableLength === 0,
    searchedTo: () => (subscription.readableLength === 0 ? searched : 0n),
    failure: () => (subscription.readableLength === 0 ? failure : null),
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
