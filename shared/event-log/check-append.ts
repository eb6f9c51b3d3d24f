import { validate } from 'uuid';
import type { NewEvent } from '../events/recorded-event.ts';
import { parseStream } from '../contexts/stream.ts';
import { AppendTooLarge, InvalidAppend } from './errors.ts';
import type { ExpectedRevision } from './port.ts';

/** Bytes of one event's data and metadata as JSON in UTF-8. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Bytes of all events of one append. EventStoreDB refuses 1 MiB, its own overhead included. */
export const MAX_APPEND_BYTES = 512 * 1024;
/** Events of one append. */
export const MAX_APPEND_EVENTS = 1000;
/** Characters of an event type. */
export const MAX_TYPE_LENGTH = 200;

/** An event as it goes over the wire: data and metadata are JSON texts without a raw line break. */
type CheckedEvent = {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly data: string;
  readonly metadata: string;
};

export type CheckedAppend = {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly CheckedEvent[];
  /** Bytes of all events. */
  readonly bytes: number;
};

const MAX_REVISION = 2 ** 31 - 1 - MAX_APPEND_EVENTS;
const MAX_VERSION = 32_767;
const TYPE = /^[A-Za-z][A-Za-z0-9._-]*$/;

/**
 * Measures and serialises an append before it queues: every engine refuses the same.
 * @throws InvalidAppend, AppendTooLarge
 */
export function checkAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): CheckedAppend {
  checkStream(stream);
  if (expected !== 'none' && !(Number.isInteger(expected) && expected >= 0 && expected <= MAX_REVISION))
    throw new InvalidAppend(`append to ${stream}: expected revision ${expected}: use "none" or a whole number from 0`);
  if (events.length === 0) throw new InvalidAppend(`append to ${stream}: no events: give at least one`);
  if (events.length > MAX_APPEND_EVENTS)
    throw new AppendTooLarge(`append to ${stream}: ${events.length} events: give at most ${MAX_APPEND_EVENTS}`);
  const checked: CheckedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const { size, ...rest } = checkEvent(stream, event);
    bytes += size;
    checked.push(rest);
  }
  if (checked.length > 1 && new Set(checked.map(({ id }) => id)).size < checked.length)
    throw new InvalidAppend(`append to ${stream}: two events have the same id: give each its own`);
  if (bytes > MAX_APPEND_BYTES)
    throw new AppendTooLarge(
      `append to ${stream}: ${bytes} bytes: at most ${MAX_APPEND_BYTES}; put bodies into the artefact store`,
    );
  return { stream, expected, events: checked, bytes };
}

function checkStream(stream: string): void {
  try {
    parseStream(stream);
  } catch (error) {
    throw new InvalidAppend(error instanceof Error ? error.message : String(error));
  }
}

function checkEvent(stream: string, event: NewEvent): CheckedEvent & { size: number } {
  const where = `append to ${stream}: event ${JSON.stringify(event.type)}`;
  if (event.type.length > MAX_TYPE_LENGTH || !TYPE.test(event.type))
    throw new InvalidAppend(`${where}: use letters, digits and . _ -, a letter first, at most ${MAX_TYPE_LENGTH}`);
  if (!validate(event.id)) throw new InvalidAppend(`${where}: id ${JSON.stringify(event.id)}: use a UUID`);
  if (!Number.isInteger(event.version) || event.version < 1 || event.version > MAX_VERSION)
    throw new InvalidAppend(`${where}: version ${event.version}: use a whole number from 1 to ${MAX_VERSION}`);
  const data = serialise(where, 'data', event.data);
  const metadata = serialise(where, 'metadata', event.metadata);
  const size = Buffer.byteLength(data) + Buffer.byteLength(metadata);
  if (size > MAX_EVENT_BYTES)
    throw new AppendTooLarge(`${where}: ${size} bytes: at most ${MAX_EVENT_BYTES}; put bodies into the artefact store`);
  return { id: event.id.toLowerCase(), type: event.type, version: event.version, data, metadata, size };
}

function serialise(where: string, part: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new InvalidAppend(`${where}: ${part} is not JSON`, { cause });
  }
  if (text === undefined) throw new InvalidAppend(`${where}: ${part} is not JSON: ${typeof value}`);
  const path = findUnstorableText(text);
  if (path !== null)
    throw new InvalidAppend(`${where}: ${part}${path} holds U+0000 or half a surrogate pair: remove it`);
  return text;
}

// JSON.stringify writes U+0000 and halves of surrogate pairs as escapes; an escaped backslash before "u" looks alike.
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/;
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Looks for text that not every engine can store: U+0000 or half a surrogate pair, in values or names of fields.
 * @param json as JSON.stringify wrote it
 * @returns its path, like `.title` or `.files[2]` (the empty path is the value itself); null when there is none
 */
export function findUnstorableText(json: string): string | null {
  if (!SUSPICIOUS.test(json)) return null;
  const value: unknown = JSON.parse(json);
  return search(value, '');
}

function search(value: unknown, path: string): string | null {
  if (typeof value === 'string') return UNSTORABLE.test(value) ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const innerPath = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (UNSTORABLE.test(key)) return `${path}.${JSON.stringify(key)}`;
    const found = search(inner, innerPath);
    if (found !== null) return found;
  }
  return null;
}
