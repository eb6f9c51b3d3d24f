import type { RecordedEvent } from '../../../events/recorded-event.ts';
import { parseStream } from '../../../contexts/stream.ts';
import type { ReadStreamOptions } from '../../port.ts';
import { readPatiently, type ReadSettings } from './read-call.ts';
import { toStreamRequest } from './read-request.ts';
import { toRecordedEvent } from './recorded-event.ts';

const PAGE = 500;

/** Reads a stream page by page; nothing is held open between them. A name that no stream can have has no events. */
export async function* readStream(
  settings: ReadSettings,
  stream: string,
  options: ReadStreamOptions = {},
): AsyncGenerator<RecordedEvent> {
  if (!isStreamName(stream)) return;
  const { signal, direction = 'forward' } = options;
  let left = options.limit ?? Infinity;
  let from = await firstRevision(settings, stream, options);
  while (left > 0 && from !== null) {
    const size = Math.min(PAGE, left);
    const request = toStreamRequest(stream, { from, direction, count: size });
    const { events, isFull } = await readPatiently(settings, `reading ${stream}`, request, signal);
    for (const event of events) {
      const recorded = toRecordedEvent(event);
      if (recorded !== null) yield recorded;
    }
    const last = events.at(-1)?.event?.revision;
    if (last === undefined || (events.length < size && !isFull)) return;
    left -= events.length;
    from = direction === 'forward' ? Number(last) + 1 : last === 0n ? null : Number(last) - 1;
  }
}

/** Backward from beyond the end means from the end, which the server does not promise: the end is asked for first. */
async function firstRevision(
  settings: ReadSettings,
  stream: string,
  { from, direction, limit, signal }: ReadStreamOptions,
): Promise<number | 'end' | null> {
  if (limit !== undefined && limit <= 0) return null;
  if (direction !== 'backward') return from ?? 0;
  if (from === undefined) return 'end';
  if (from < 0) return null;
  const end = await readLastRevision(settings, stream, signal);
  return end === 'none' ? null : Math.min(from, end);
}

/** The revision of the stream's last event. */
export async function readLastRevision(
  settings: ReadSettings,
  stream: string,
  signal?: AbortSignal,
): Promise<number | 'none'> {
  const request = toStreamRequest(stream, { from: 'end', direction: 'backward', count: 1 });
  const { events } = await readPatiently(settings, `reading the end of ${stream}`, request, signal);
  const last = events[0];
  return last?.event === undefined ? 'none' : Number(last.event.revision);
}

function isStreamName(stream: string): boolean {
  try {
    parseStream(stream);
    return true;
  } catch {
    return false;
  }
}
