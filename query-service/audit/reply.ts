import { z } from 'zod';
import { time } from '@workledger/shared/contexts/define-row.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Reply } from '@workledger/shared/http/route.ts';
import { eventJson } from '@workledger/shared/events/event-json.ts';
import { many, atMost } from '../reading/query-route.ts';

/** A recorded event, as it was written. */
export const eventAnswer = z.strictObject({
  id: uuid,
  type: z.string(),
  version: z.int().min(1),
  stream: z.string(),
  revision: z.int().min(0),
  position: z.string().describe('place in the whole log, as a text: it may be larger than a JavaScript number'),
  recordedAt: time,
  data: z.record(z.string(), z.unknown()),
  metadata: z.strictObject({
    correlationId: z.string(),
    causationId: z.string().nullable(),
    commandId: z.string(),
    commandHash: z.string(),
    actor: z.string(),
    traceparent: z.string().nullable(),
  }),
});

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

export const NDJSON = 'application/x-ndjson';
/** Characters gathered before they are handed on: lines alone would be too many small writes. */
const CHUNK = 32_768;

/** Events as one JSON text a line. The first is read before the answer begins, so that a failing log is still a problem. */
async function ndjson(events: AsyncIterable<RecordedEvent>): Promise<Reply> {
  const reader = events[Symbol.asyncIterator]();
  const first = await reader.next();
  return { stream: chunks(first, reader), mediaType: NDJSON, headers: { 'Cache-Control': 'no-store' } };
}

async function* chunks(
  first: IteratorResult<RecordedEvent>,
  reader: AsyncIterator<RecordedEvent>,
): AsyncGenerator<string, void, undefined> {
  try {
    let chunk = '';
    for (let item = first; item.done !== true; item = await reader.next()) {
      chunk += `${JSON.stringify(eventJson(item.value))}\n`;
      if (chunk.length < CHUNK) continue;
      yield chunk;
      chunk = '';
    }
    if (chunk !== '') yield chunk;
  } finally {
    await reader.return?.();
  }
}
