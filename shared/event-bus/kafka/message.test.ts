import { expect, test } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { decodeCloudEvent } from '../../events/published/cloud-event.ts';
import { messageOf } from './message.ts';

test('a key that is published has no hash of its secret, whenever it was written', () => {
  const secretHash = 'ab'.repeat(32);
  const data = { name: 'ci', role: 'admin', agentId: null };
  const event = {
    ...{ id: newId(), type: 'KeyCreated', version: 1, stream: streamName('key', newId()), revision: 0, position: 1n },
    recordedAt: new Date(0),
    data: { ...data, secretHash },
    metadata: {
      ...{ correlationId: 'c', causationId: null, commandId: newId(), commandHash: '0', actor: 'system' },
      traceparent: null,
    },
  };
  const { key, value } = messageOf(event);
  expect(key.toString()).toBe(event.stream);
  expect(value.toString()).not.toMatch(/secretHash|(ab){32}/);
  expect(decodeCloudEvent(value)).toEqual({ ...event, data });
});
