import { LogBehind } from '../../errors.ts';
import { readPatiently, type ReadPage, type ReadSettings } from './read-call.ts';
import { toBackwardRequest } from './read-request.ts';

const FIRST_PAGE = 8;
const PAGE = 500;
/** So many system events in a row are looked at; then the newest of them serves as well: nothing of ours lies behind it. */
const MOST_SCANNED = 4_000;

/** The head, and the newest event, of whatever kind, that was looked at to find it. */
type Seen = { readonly head: bigint; readonly newest: bigint };

/**
 * Position of the last event that is not the server's own; 0 when there is none: the server's statistics must not look like
 * events that a reader has still to see. What was looked at is not read again.
 * @param known a position that the log is known to reach
 * @throws LogBehind (by the reader) when the server has less than it had, or than is known: a copy that is behind, or a restored one
 */
export function createHeadReader(settings: ReadSettings, known: () => bigint): () => Promise<bigint> {
  let seen: Seen = { head: 0n, newest: -1n };
  return async () => {
    const least = known();
    const found = await readHead(settings, seen);
    const reached = found.newest > seen.newest ? found.newest : seen.newest;
    if (reached < least) throw new LogBehind('the log', least, reached);
    if (found.newest > seen.newest) seen = found;
    return found.head;
  };
}

async function readHead(settings: ReadSettings, seen: Seen): Promise<Seen> {
  let before: bigint | 'end' = 'end';
  let newest: bigint | null = null;
  let scanned = 0;
  for (let size = FIRST_PAGE; scanned < MOST_SCANNED; size = PAGE) {
    const { events, isFull }: ReadPage = await readPatiently(
      settings,
      'reading the head',
      toBackwardRequest(before, size),
    );
    for (const { event } of events) {
      const position = event?.position?.commit;
      if (event === undefined || position === undefined) continue;
      newest ??= position;
      if (newest < seen.newest) throw new LogBehind('the log', seen.newest, newest);
      if (position <= seen.newest) return { head: seen.head, newest };
      if (!event.type.startsWith('$')) return { head: position, newest };
    }
    scanned += events.length;
    const last: bigint | undefined = events.at(-1)?.event?.position?.commit;
    if (last === undefined || (events.length < size && !isFull)) {
      if (newest === null && seen.newest >= 0n) throw new LogBehind('the log', seen.newest, 0n);
      return { head: seen.head, newest: newest ?? seen.newest };
    }
    before = last;
  }
  return { head: newest ?? 0n, newest: newest ?? -1n };
}
