import { z } from 'zod';
import { time } from '@workledger/shared/contexts/define-row.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Reply } from '@workledger/shared/http/route.ts';
import { eventJson, type EventJson } from '@workledger/shared/events/event-json.ts';
import { PAGE_BYTES } from '../reading/page.ts';
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
  .describe('JSON: 1 to 1000, default 100, fewer where 4 MiB are full before; NDJSON: default all');

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
  const inLines = asked.format === undefined ? (asked.accept ?? '').includes(NDJSON) : asked.format === 'ndjson';
  if (inLines) return { stream: lines(read(asked.limit)), mediaType: NDJSON, headers: { 'Cache-Control': 'no-store' } };
  const wanted = asked.limit ?? PAGE;
  const items: EventJson[] = [];
  let bytes = 0;
  for await (const event of read(wanted)) {
    const item = eventJson(event);
    items.push(item);
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (items.length === wanted || bytes >= PAGE_BYTES) return many({ items, next: next(event) });
  }
  return many({ items, next: null });
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

/** Events as one JSON text a line. */
async function* lines(events: AsyncIterable<RecordedEvent>): AsyncGenerator<string, void, undefined> {
  let chunk = '';
  for await (const event of events) {
    chunk += `${JSON.stringify(eventJson(event))}\n`;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
