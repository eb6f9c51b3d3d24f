import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { NewEvent } from '@workledger/shared/events/recorded-event.ts';

export const newStream = (): string => streamName('task', newId());

const body = 'An issue asks for something, in a sentence or two. '.repeat(4);

/** An event of about 500 bytes, data and metadata together. */
export function newEvent(): NewEvent {
  const commandId = newId();
  const metadata = {
    correlationId: commandId,
    causationId: null,
    commandId,
    commandHash: 'a'.repeat(64),
    actor: 'system',
    traceparent: null,
  };
  return { id: newId(), type: 'TaskCreated', version: 1, data: { title: 'Measure', body, priority: 3 }, metadata };
}
