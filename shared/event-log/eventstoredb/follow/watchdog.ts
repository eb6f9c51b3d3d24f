import type { Subscription } from './subscription.ts';

export type WatchdogSettings = {
  /** Asked when a subscription is silent: once, with a deadline. @returns the position of the log's last event */
  readonly probe: () => Promise<bigint>;
  /** How long a subscription may take to begin, in milliseconds. */
  readonly answer: number;
  /** How long a subscription may be silent before the server is asked whether there is news, in milliseconds. */
  readonly silence: number;
};

export type Watchdog = {
  /** How long this subscription may be silent now, in milliseconds. */
  limit(subscription: Subscription): number;
  /** An event came. */
  heard(): void;
  /**
   * Asked after a silence: whether the subscription is to be replaced.
   * @throws the client's error when the server does not answer: then it is to be replaced, too
   */
  wantsAnother(subscription: Subscription, position: bigint): Promise<boolean>;
};

const LONGEST = 16;

/**
 * Tells silence from death: an idle log sends nothing, nor does a connection that is gone or a subscription that was forgotten.
 * While the log has news that did not come, one new subscription looks for them; where the filter leaves all of them out, the
 * next one waits twice as long.
 */
export function createWatchdog({ probe, answer, silence }: WatchdogSettings): Watchdog {
  let factor = 1;
  let known = 0n;
  return {
    limit: (subscription) => factor * (subscription.isConfirmed() ? silence : answer),
    heard: () => {
      factor = 1;
    },
    wantsAnother: async (subscription, position) => {
      const head = await probe();
      if (subscription.isConfirmed() && (head <= position || head <= known)) return false;
      known = head;
      factor = Math.min(factor * 2, LONGEST);
      return true;
    },
  };
}
