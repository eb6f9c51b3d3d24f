import { contextOf, findDefinition } from '../catalogue.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import { streamType } from '../../contexts/stream.ts';
import { cloudEventType, schemaId, SOURCE_SERVICE, sourceOf, plainCloudEvent } from './plain-cloud-event.ts';

/**
 * The bytes of an event as it is published: a CloudEvent 1.0 in JSON, UTF-8, whose `data` is the SystemEvent, without private fields.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 * @throws RangeError when the stream is of no type of the catalogue, TypeError when the event's data is not JSON
 */
export function encodeCloudEvent(recorded: RecordedEvent): Buffer {
  const event = withoutPrivateFields(recorded);
  const { id, type, version, stream, revision, position, recordedAt, data, metadata } = event;
  const context = contextOf(stream);
  if (context === null) throw new RangeError(`stream "${stream}" is of no type of the catalogue: it has no topic`);
  if (data === undefined) throw new TypeError(`event ${id} of stream "${stream}" has no data`);
  const plain = plainCloudEvent(event);
  if (plain !== null) return Buffer.from(plain);
  const time = recordedAt.toISOString();
  const { correlationId, causationId, commandId, commandHash, actor, traceparent } = metadata;
  // JSON.stringify leaves out what is undefined.
  return Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      id,
      source: sourceOf(context),
      type: cloudEventType(stream, type, version),
      subject: stream,
      time,
      datacontenttype: 'application/json',
      dataschema: context === 'saga' ? undefined : schemaId(streamType(stream), type, version),
      revision,
      position: String(position),
      correlationid: correlationId,
      causationid: causationId ?? undefined,
      commandid: commandId,
      commandhash: commandHash,
      actor,
      traceparent: traceparent ?? undefined,
      data: {
        event_id: id,
        event_type: type,
        source_service: SOURCE_SERVICE,
        target_services: [],
        timestamp: time,
        correlation_id: correlationId,
        version,
        payload: data,
      },
    }),
  );
}

/** What is in the log only, whenever it was written, does not leave with the event. */
function withoutPrivateFields(event: RecordedEvent): RecordedEvent {
  const hidden = findDefinition(event.stream, event.type)?.private;
  if (hidden === undefined) return event;
  const shown = Object.entries(event.data as object).filter(([name]) => !hidden.includes(name));
  return { ...event, data: Object.fromEntries(shown) };
}

/**
 * The event that `encodeCloudEvent` was given, without its private fields.
 * @throws NoCloudEvent when the bytes are not such an event
 */
export function decodeCloudEvent(bytes: Uint8Array): RecordedEvent {
  const cloudEvent = parse(bytes);
  const data = cloudEvent['data'];
  if (cloudEvent['specversion'] !== '1.0') throw new NoCloudEvent('specversion is not "1.0"');
  if (!isObject(data) || data['payload'] === undefined) throw new NoCloudEvent('data is no SystemEvent with a payload');
  return {
    id: text(cloudEvent, 'id'),
    type: text(data, 'event_type'),
    version: wholeNumber(data, 'version'),
    stream: text(cloudEvent, 'subject'),
    revision: wholeNumber(cloudEvent, 'revision'),
    position: position(cloudEvent),
    recordedAt: time(cloudEvent),
    data: data['payload'],
    metadata: {
      correlationId: text(cloudEvent, 'correlationid'),
      causationId: textOrNull(cloudEvent, 'causationid'),
      commandId: text(cloudEvent, 'commandid'),
      commandHash: text(cloudEvent, 'commandhash'),
      actor: text(cloudEvent, 'actor'),
      traceparent: textOrNull(cloudEvent, 'traceparent'),
    },
  };
}

class NoCloudEvent extends Error {
  override name = 'NoCloudEvent';
  constructor(what: string, options?: ErrorOptions) {
    super(`this is no event of Workledger as a CloudEvent: ${what}`, options);
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new NoCloudEvent('it is not JSON in UTF-8', { cause });
  }
  if (!isObject(value)) throw new NoCloudEvent('it is no JSON object');
  return value;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new NoCloudEvent(`${name} is no text`);
  return value;
}

const textOrNull = (fields: Fields, name: string): string | null =>
  fields[name] === undefined ? null : text(fields, name);

function wholeNumber(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new NoCloudEvent(`${name} is no whole number`);
  return value;
}

function position(fields: Fields): bigint {
  const value = text(fields, 'position');
  if (!/^\d{1,20}$/.test(value)) throw new NoCloudEvent('position is no number as a text');
  return BigInt(value);
}

function time(fields: Fields): Date {
  const value = new Date(text(fields, 'time'));
  if (Number.isNaN(value.getTime())) throw new NoCloudEvent('time is no time');
  return value;
}
