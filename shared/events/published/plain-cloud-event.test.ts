import { expect, test } from 'vitest';
import { streamTypes } from '../catalogue.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { encodeCloudEvent } from './cloud-event.ts';
import { plainCloudEvent } from './plain-cloud-event.ts';

/** `actor` comes last: a text that is not plain takes the other way, and shows its escapes. */
const recorded = (stream: string, actor: string, optional: string | null): RecordedEvent => ({
  id: newId(),
  type: 'SomethingHappened',
  version: 2,
  stream,
  revision: 7,
  position: 9_007_199_254_740_993n,
  recordedAt: new Date('2026-03-04T05:06:07.089Z'),
  data: { text: '“again”\n', list: [1, null, { deep: true }] },
  metadata: {
    correlationId: newId(),
    causationId: optional,
    commandId: newId(),
    commandHash: '0'.repeat(64),
    actor,
    traceparent: optional,
  },
});

test('a plain event is, byte by byte, what JSON.stringify makes of it, for every stream type', () => {
  for (const { type } of streamTypes)
    for (const optional of [null, newId()]) {
      const event = recorded(streamName(type, newId()), 'ACTOR', optional);
      const escaped = encodeCloudEvent({ ...event, metadata: { ...event.metadata, actor: 'é' } }).toString();
      expect(plainCloudEvent(event)).toBe(escaped.replace('"é"', '"ACTOR"'));
    }
});

test.each(['"', '\\', '\n', '\u007f', 'é', '\ud800'])(
  'an event with %j in a text is left to JSON.stringify',
  (text) => {
    expect(plainCloudEvent(recorded(streamName('task', newId()), text, null))).toBe(null);
  },
);
