import { BACKWARDS, END } from '@eventstore/db-client';
import type { AllStreamResolvedEvent, EventStoreDBClient, Position, StreamingRead } from '@eventstore/db-client';
import { readPatiently, type ReadSettings } from './read-call.ts';

const FIRST_PAGE = 8;
const PAGE = 500;
/** So many system events in a row are looked at; then the newest of them serves as well: nothing of ours lies behind it. */
const MOST_SCANNED = 4_000;

/** The head, and the newest event, of whatever kind, that was looked at to find it. */
type Seen = { readonly head: bigint; readonly newest: bigint };

/**
 * Position of the last event that is not the server's own; 0 when there is none: the server's statistics must not look like
 * events that a reader has still to see. What was looked at is not read again.
 */
export function createHeadReader(settings: ReadSettings): () => Promise<bigint> {
  let seen: Seen = { head: 0n, newest: -1n };
  return async () => {
    const found = await readHead(settings, seen);
    if (found.newest > seen.newest) seen = found;
    return found.head;
  };
}

async function readHead(settings: ReadSettings, seen: Seen): Promise<Seen> {
  let from: Position | typeof END = END;
  let newest: bigint | null = null;
  let scanned = 0;
  for (let size = FIRST_PAGE; scanned < MOST_SCANNED; size = PAGE) {
    const events: AllStreamResolvedEvent[] = await readPatiently(
      settings,
      'reading the head',
      readBackward(from, size),
    );
    for (const { event } of events) {
      if (event === undefined) continue;
      const position = event.position.commit;
      newest ??= position;
      if (position <= seen.newest) return { head: seen.head, newest };
      if (!event.type.startsWith('$')) return { head: position, newest };
    }
    scanned += events.length;
    const last = events.at(-1)?.event?.position;
    if (last === undefined || events.length < size) return { head: seen.head, newest: newest ?? seen.newest };
    from = last;
  }
  return { head: newest ?? 0n, newest: newest ?? -1n };
}

const readBackward =
  (fromPosition: Position | typeof END, maxCount: number) =>
  (client: EventStoreDBClient): StreamingRead<AllStreamResolvedEvent> =>
    client.readAll({ direction: BACKWARDS, fromPosition, maxCount });
