import { newId } from '@workledger/shared/contexts/stream.ts';
import type { NewEvent, EventMetadata } from '@workledger/shared/events/recorded-event.ts';

/**
 * An event that any log takes, for tests of what stores and carries events. Its type is a known one of streams `task-…`: who reads a
 * log that others use, too, must not stumble over it.
 */
export function anyEvent(data: unknown = { text: 'anything' }, type = 'TaskDetailsChanged'): NewEvent {
  const commandId = newId();
  const metadata = {
    correlationId: newId(),
    causationId: null,
    commandId,
    commandHash: '0'.repeat(64),
    actor: 'system',
    traceparent: null,
  };
  return { id: newId(), type, version: 1, data, metadata };
}

/** So many events, numbered from 0 in their data. */
export const anyEvents = (count: number, type?: string): NewEvent[] =>
  Array.from({ length: count }, (_, number) => anyEvent({ number }, type));

/** All that an async iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Of events that nobody asked for by a command, each time in a conversation of its own. */
export const anyMetadata = (): EventMetadata => ({
  correlationId: newId(),
  causationId: null,
  commandId: newId(),
  commandHash: '0'.repeat(64),
  actor: 'system',
  traceparent: null,
});
