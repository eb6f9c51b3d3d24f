import type { Batch, SubscribeOptions } from '../../port.ts';
import { follow, type FollowSettings } from './follow.ts';

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
