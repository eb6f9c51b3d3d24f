import { setImmediate } from 'node:timers/promises';
import type { ReadPool } from './until-closed.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import type { ReadAllOptions } from '../port.ts';
import { readHead } from './read-head.ts';
import { readPage } from './read-page.ts';
import { toRecordedEvents } from './recorded-events.ts';
import { firstWindow, nextWindow } from './window.ts';

/** Reads a range of the log page by page, the next page coming while the last one is used. */
export async function* readAll(pool: ReadPool, options: ReadAllOptions): AsyncGenerator<RecordedEvent> {
  const head = await readHead(pool);
  const until = options.until === undefined || options.until > head ? head : options.until;
  let after = options.after ?? 0n;
  let window = firstWindow;
  const read = (): ReturnType<typeof readPage> | null => {
    if (after >= until) return null;
    const end = after + BigInt(window);
    const page = readPage(pool, after, end < until ? end : until, options);
    // It is awaited when its turn comes; until then a failure is not unheard.
    page.catch(() => undefined);
    return page;
  };
  let coming = read();
  while (coming !== null) {
    options.signal?.throwIfAborted();
    const page = await coming;
    after = page.next;
    window = nextWindow(window, page.size);
    coming = read();
    // pg sends a query when the event loop turns; without a turn, the server would idle until this page is used up.
    if (coming !== null) await setImmediate();
    yield* toRecordedEvents(page.lines);
  }
}
