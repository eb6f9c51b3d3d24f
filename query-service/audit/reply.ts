import { z } from 'zod';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Reply } from '@workledger/shared/http/route.ts';
import { many } from '../reading/query-route.ts';
import { atMost } from '../reading/parameters.ts';
import { eventJson } from '@workledger/shared/events/event-json.ts';
import { NDJSON, ndjson } from './ndjson.ts';

export const format = z.enum(['json', 'ndjson']).optional().describe('default: as the header Accept asks for');
export const acceptHeader = z.object({ accept: z.string().max(1_000).optional() });
/** JSON comes in pages; NDJSON comes whole, as a stream, unless a limit is given. */
export const limit = atMost(1_000, 100)
  .removeDefault()
  .optional()
  .describe('JSON: 1 to 1000, default 100; NDJSON: default all');

const PAGE = 100;

/** Answers events as a page of JSON or as NDJSON, and reads no further than the client does. */
export async function replyEvents(
  read: (limit: number | undefined) => AsyncIterable<RecordedEvent>,
  asked: {
    readonly format?: 'json' | 'ndjson' | undefined;
    readonly limit?: number | undefined;
    readonly accept: string | undefined;
  },
  next: (last: RecordedEvent) => string | null,
): Promise<Reply> {
  const lines = asked.format === undefined ? (asked.accept ?? '').includes(NDJSON) : asked.format === 'ndjson';
  if (lines) return ndjson(read(asked.limit));
  const wanted = asked.limit ?? PAGE;
  const items: RecordedEvent[] = [];
  for await (const event of read(wanted)) items.push(event);
  const last = items.at(-1);
  return many({ items: items.map(eventJson), next: last === undefined || items.length < wanted ? null : next(last) });
}

/** The first so many of what a reader gives. */
export async function* take<Item>(
  items: AsyncIterable<Item>,
  limit: number | undefined,
): AsyncGenerator<Item, void, undefined> {
  let left = limit ?? Infinity;
  for await (const item of items) {
    yield item;
    if (--left <= 0) return;
  }
}
