import type { ReadPool } from './until-closed.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import type { ReadStreamOptions } from '../port.ts';
import { readStreamPage } from './read-stream-page.ts';

const PAGE = 500;
/** Events may have 256 KiB each: the first page is small, until their size is known. */
const FIRST_PAGE = 100;
const LAST_REVISION = 2 ** 31 - 1;

/** Reads a stream page by page; nothing is held open between them. */
export async function* readStream(
  pool: ReadPool,
  stream: string,
  options: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
  const direction = options.direction ?? 'forward';
  let left = options.limit ?? Infinity;
  let from = options.from ?? (direction === 'forward' ? 0 : LAST_REVISION);
  let page = FIRST_PAGE;
  while (left > 0 && from >= 0 && from <= LAST_REVISION) {
    options.signal?.throwIfAborted();
    const size = Math.min(page, left);
    const events = await readStreamPage(pool, stream, direction, from, size);
    yield* events;
    const last = events.at(-1);
    if (last === undefined || events.length < size) return;
    left -= events.length;
    from = direction === 'forward' ? last.revision + 1 : last.revision - 1;
    page = PAGE;
  }
}
