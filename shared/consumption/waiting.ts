import { fromTheFuture, FromTheFuture } from '../events/codec.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';

export type WaitingOptions = {
  readonly group: string;
  readonly logger: { error(facts: object, message: string): void };
  /** Told where an event from the future is waited for, and why; null when that is over. */
  readonly onWaiting?: ((where: string, reason: string | null) => void) | undefined;
};

/** What of one consumer waits for an update of this program. */
export type Waiting = {
  /**
   * Hands over what comes before an event from the future; of the same events again, only what was not taken before.
   * @param where a partition, or the log @throws FromTheFuture; what `receive` throws
   */
  during(
    where: string,
    events: readonly RecordedEvent[],
    receive: (known: readonly RecordedEvent[]) => Promise<void>,
  ): Promise<void>;
  /** Partitions may have gone to somebody else. */
  forget(): void;
};

/** Tells once of each event from the future, however often its partition is tried. */
export function createWaiting({ group, logger, onWaiting }: WaitingOptions): Waiting {
  /** By place: what was told last, and the last event that was taken before what is waited for. */
  const held = new Map<string, { readonly reason: string; readonly taken: string | undefined }>();
  const waitsAt = new Set<string>();

  function hold(where: string, { message: reason }: FromTheFuture, taken: string | undefined): void {
    if (held.get(where)?.reason !== reason)
      logger.error({ group, where, reason }, 'an event from a newer version: what comes behind it waits for an update');
    held.set(where, { reason, taken });
    waitsAt.add(where);
    onWaiting?.(`${group} at ${where}`, reason);
  }
  function end(where: string): void {
    if (waitsAt.delete(where)) onWaiting?.(`${group} at ${where}`, null);
  }

  return {
    during: async (where, events, receive) => {
      const before = held.get(where)?.taken;
      const begin = before === undefined ? 0 : events.findIndex(({ id }) => id === before) + 1;
      const at = events.findIndex((event) => fromTheFuture(event) !== null);
      const future = at === -1 ? null : fromTheFuture(events[at]!);
      const known = events.slice(begin, at === -1 ? undefined : at);
      let taken = before;
      try {
        if (known.length > 0) await receive(known);
        taken = events[at - 1]?.id;
        if (future !== null) throw future;
        held.delete(where);
        end(where);
      } catch (error) {
        if (error instanceof FromTheFuture) hold(where, error, taken);
        throw error;
      }
    },
    forget: () => [...waitsAt].forEach(end),
  };
}
