import { describe, expect, it } from 'vitest';
import { newId, streamName } from '../contexts/stream.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { FromTheFuture, upcast } from './codec.ts';
import type { RecordedEvent } from './recorded-event.ts';

const recorded = (type: string, stream: string, version: number, data: unknown = {}): RecordedEvent => ({
  ...anyEvent(data, type),
  ...{ version, stream, revision: 0, position: 1n, recordedAt: new Date(0) },
});
const task = (): string => streamName('task', newId());

describe('an event from the future', () => {
  it.each([
    ['a type', recorded('TaskTeleported', task(), 1), /TaskTeleported v1 .* does not know it; update it/],
    ['a stream type', recorded('TaskCreated', streamName('teleport', newId()), 1), /stream teleport-.* does not know/],
    ['a version', recorded('TaskExpanded', task(), 9), /TaskExpanded v9 .* knows versions up to 1; update it/],
    [
      'a version within what a saga was given',
      recorded('SagaInputReceived', streamName('saga-code-evolution', newId()), 1, {
        ...{ source: { stream: task(), revision: 0, eventId: newId() }, type: 'TaskExpanded', version: 9, data: {} },
      }),
      /TaskExpanded v9/,
    ],
  ])('is %s that this program does not know, and says so', (_, event, text) => {
    expect(() => upcast(event)).toThrow(FromTheFuture);
    expect(() => upcast(event)).toThrow(text);
  });

  it('is none whose data an upcaster cannot read', () => {
    const broken = recorded('DeliveryRouted', streamName('delivery', newId()), 1, null);
    expect(() => upcast(broken)).toThrow();
    expect(() => upcast(broken)).not.toThrow(FromTheFuture);
  });
});
