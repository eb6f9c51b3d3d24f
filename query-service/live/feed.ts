import type { Principal } from '@workledger/shared/http/route.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

/** What a feed tells of an event, and to whom: all who hold the key in that feed. */
export type Told = {
  readonly feed: string;
  /** Within the feed, such as a participant or the id of a task. */
  readonly key: string;
  /** What happened, in the words of the feed; null: nothing that is told, only keys change. */
  readonly event: string | null;
  readonly data: object;
  /** Keys that are limited to repositories hear of theirs only; null: of none. Left out: it was judged as the feed was opened. */
  readonly repository?: string | null;
  /** Not told to who did it. */
  readonly except?: string;
  /** From now on those who hold the key hold this one, too, or no more. */
  readonly add?: string;
  readonly remove?: string;
};

/** One kind of live news. To add one: a file beside this, and a line in `feeds.ts`. */
export type Feed = {
  /** The part of a feed's name before the colon. */
  readonly name: string;
  /** The stream types whose events it tells. */
  readonly streams: readonly string[];
  /**
   * Which keys a subscription begins with.
   * @param argument what stands behind the colon; null: no colon
   * @throws Problem where it does not exist for whoever asks
   */
  open(argument: string | null, caller: Principal): Promise<readonly string[]>;
  tell(event: RecordedEvent): readonly Told[];
};

/** One piece of news on its way: its text is made once for all who hear it. */
export type Frame = {
  /** As it was subscribed to, such as `task:<id>`. */
  readonly feed: string;
  readonly event: string;
  /** A position in the log; null: it cannot be asked for again. */
  readonly position: bigint | null;
  /** JSON. */
  readonly data: string;
};
