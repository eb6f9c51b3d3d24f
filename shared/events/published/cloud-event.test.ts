import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contexts, streamTypes } from '../catalogue.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { decodeCloudEvent, encodeCloudEvent } from './cloud-event.ts';

const text = fc.string({ unit: 'binary' });
const event: fc.Arbitrary<RecordedEvent> = fc.record(
  {
    id: fc.uuid(),
    type: text,
    version: fc.integer({ min: 1, max: 32_767 }),
    stream: fc
      .tuple(fc.constantFrom(...streamTypes.map(({ type }) => type)), fc.uuid())
      .map((parts) => streamName(...parts)),
    revision: fc.nat(),
    position: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    recordedAt: fc.date({ noInvalidDate: true }),
    data: fc.json().map((json): unknown => JSON.parse(json)),
    metadata: fc.record(
      {
        correlationId: text,
        causationId: fc.option(text),
        commandId: text,
        commandHash: text,
        actor: text,
        traceparent: fc.option(text),
      },
      { noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
);

const sample: RecordedEvent = {
  id: '0192f0c1-7b5a-5d0e-9a63-0d3b6f8f2a11',
  type: 'TaskRetried',
  version: 1,
  stream: 'task-0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a12',
  revision: 4,
  position: 9_007_199_254_740_993n,
  recordedAt: new Date('2026-03-04T05:06:07.089Z'),
  data: { reason: '“again”' },
  metadata: {
    correlationId: '0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a13',
    causationId: null,
    commandId: '0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a14',
    commandHash: '0'.repeat(64),
    actor: 'system',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  },
};
const json = (recorded: RecordedEvent) => JSON.parse(encodeCloudEvent(recorded).toString()) as Record<string, unknown>;

describe('an event as a CloudEvent', () => {
  test('looks like this', () => {
    expect(json(sample)).toEqual({
      specversion: '1.0',
      id: '0192f0c1-7b5a-5d0e-9a63-0d3b6f8f2a11',
      source: '/workledger/task',
      type: 'workledger.task.TaskRetried.v1',
      subject: 'task-0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a12',
      time: '2026-03-04T05:06:07.089Z',
      datacontenttype: 'application/json',
      dataschema: 'https://workledger.dev/schemas/task/TaskRetried/1',
      revision: 4,
      position: '9007199254740993',
      correlationid: '0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a13',
      commandid: '0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a14',
      commandhash: '0'.repeat(64),
      actor: 'system',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      data: {
        event_id: '0192f0c1-7b5a-5d0e-9a63-0d3b6f8f2a11',
        event_type: 'TaskRetried',
        source_service: 'workledger',
        target_services: [],
        payload: { reason: '“again”' },
        timestamp: '2026-03-04T05:06:07.089Z',
        correlation_id: '0192f0c1-7b5a-7d0e-9a63-0d3b6f8f2a13',
        version: 1,
      },
    });
  });

  test('comes back as it was, whatever its texts and data are', () => {
    fc.assert(
      fc.property(event, (recorded) => {
        expect(decodeCloudEvent(encodeCloudEvent(recorded))).toStrictEqual(recorded);
      }),
      { numRuns: 1_000 },
    );
  });

  test('leaves what is private in the log, in whatever version it was written', () => {
    const secretHash = 'ab'.repeat(32);
    const key = { name: 'ci', role: 'operator', agentId: null };
    const event = { ...sample, type: 'KeyCreated', stream: streamName('key', newId()), data: { ...key, secretHash } };
    for (const actor of ['system', 'é']) {
      const published = { ...event, metadata: { ...event.metadata, actor } };
      expect(encodeCloudEvent(published).toString()).not.toContain(secretHash);
      expect(decodeCloudEvent(encodeCloudEvent(published))).toStrictEqual({ ...published, data: key });
    }
    expect(event.data.secretHash).toBe(secretHash);
  });

  test('has attributes with names that CloudEvents allows, for every context', () => {
    for (const { type } of streamTypes)
      for (const name of Object.keys(json({ ...sample, stream: streamName(type, newId()) })))
        expect(name).toMatch(/^[a-z0-9]{1,20}$/);
    expect(new Set(streamTypes.map(({ context }) => context))).toEqual(new Set(contexts));
  });

  test('names no schema when it is internal', () => {
    expect(json({ ...sample, stream: streamName('saga-code-evolution', newId()) })).not.toHaveProperty('dataschema');
  });

  test('is refused when its stream is of no known type, or when it has no data', () => {
    expect(() => encodeCloudEvent({ ...sample, stream: streamName('nothing', newId()) })).toThrow('it has no topic');
    expect(() => encodeCloudEvent({ ...sample, data: undefined })).toThrow('has no data');
  });
});

describe('bytes that are no such event are refused with what is wrong:', () => {
  const changed = (change: object) => Buffer.from(JSON.stringify({ ...json(sample), ...change }));
  test.each([
    ['nothing', Buffer.alloc(0), 'not JSON'],
    ['half of one', encodeCloudEvent(sample).subarray(0, 100), 'not JSON'],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from('"'), Buffer.from([0xff]), Buffer.from('"')]), 'UTF-8'],
    ['another JSON value', Buffer.from('null'), 'no JSON object'],
    ['another specversion', changed({ specversion: '0.3' }), 'specversion'],
    ['no id', changed({ id: undefined }), 'id is no text'],
    ['a stream that is no text', changed({ subject: 3 }), 'subject is no text'],
    ['a revision that is a text', changed({ revision: '4' }), 'revision is no whole number'],
    ['a revision below 0', changed({ revision: -1 }), 'revision is no whole number'],
    ['a position that is a number', changed({ position: 4 }), 'position is no text'],
    ['a position that is no number', changed({ position: '0x4' }), 'position is no number'],
    ['a time that is none', changed({ time: 'noon' }), 'time is no time'],
    ['no correlation', changed({ correlationid: undefined }), 'correlationid is no text'],
    ['a causation that is null', changed({ causationid: null }), 'causationid is no text'],
    ['no data', changed({ data: undefined }), 'no SystemEvent'],
    ['data without a payload', changed({ data: { event_type: 'x', version: 1 } }), 'no SystemEvent'],
    ['data without a version', changed({ data: { event_type: 'x', payload: {} } }), 'version is no whole number'],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeCloudEvent(bytes)).toThrow(`this is no event of Workledger as a CloudEvent: `);
    expect(() => decodeCloudEvent(bytes)).toThrow(message);
  });
});
