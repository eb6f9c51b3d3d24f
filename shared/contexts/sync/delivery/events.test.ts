import { expect, it } from 'vitest';
import { upcast } from '../../../events/codec.ts';
import type { RecordedEvent } from '../../../events/recorded-event.ts';
import { deliveryEvents } from './events.ts';

const taskId = '5f1c53b4-6f5a-4d0e-9a63-0d3b6f8f2a11';

/** As version 1 of the program recorded it. */
const recordedV1 = (data: object): RecordedEvent => ({
  id: '0190a000-0000-7000-8000-0000000000e1',
  type: 'DeliveryRouted',
  version: 1,
  stream: 'delivery-0190a000-0000-5000-8000-0000000000d1',
  revision: 1,
  position: 2n,
  recordedAt: new Date('2026-11-27T12:00:00Z'),
  data: past[1].schema.parse(data),
  metadata: {
    correlationId: '0190a000-0000-7000-8000-0000000000c1',
    causationId: null,
    commandId: '0190a000-0000-7000-8000-0000000000c2',
    commandHash: '0'.repeat(64),
    actor: 'system',
    traceparent: null,
  },
});
const words = {
  kind: 'create-task' as const,
  title: 'Sum is slow',
  description: 'Make it fast.',
  repository: 'shop',
  labels: ['workledger'],
  priority: 3,
  capabilities: ['code'],
  requester: 'eve',
};
const url = 'https://github.com/acme/shop/issues/12';
const { schema, past } = deliveryEvents.events.DeliveryRouted;

it('a task that version 1 asked for came from GitHub', () => {
  const intent = { ...words, reference: 'acme/shop#12', url };
  const { version, data } = upcast(recordedV1({ rule: 'label', taskId, intent }));
  const source = { kind: 'github', reference: 'acme/shop#12', url };
  expect({ version, data }).toEqual({ version: 2, data: { rule: 'label', taskId, intent: { ...words, source } } });
  expect(schema.parse(data)).toEqual(data);
});

it('a cancellation of version 1 stays as it is', () => {
  const data = { rule: 'label', taskId, intent: { kind: 'cancel-task' as const, reason: 'issue #12 was closed' } };
  expect(upcast(recordedV1(data))).toMatchObject({ version: 2, data });
  expect(schema.parse(data)).toEqual(data);
});
