import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Reply } from '@workledger/shared/http/route.ts';
import { eventJson } from '@workledger/shared/events/event-json.ts';

export const NDJSON = 'application/x-ndjson';
/** Characters gathered before they are handed on: lines alone would be too many small writes. */
const CHUNK = 32_768;

/** Events as one JSON text a line. The first is read before the answer begins, so that a failing log is still a problem. */
export async function ndjson(events: AsyncIterable<RecordedEvent>): Promise<Reply> {
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
