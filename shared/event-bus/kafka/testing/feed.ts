import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import type { RecordedEvent } from '../../../events/recorded-event.ts';
import type { EventBus } from '../../port.ts';

let position = 0n;

/** Makes events as a log would record them: streams go on where they ended, positions grow. */
export function createRecorder(): (stream: string, count: number) => RecordedEvent[] {
  const heads = new Map<string, number>();
  return (stream, count) => {
    const start = heads.get(stream) ?? 0;
    heads.set(stream, start + count);
    return anyEvents(count).map((event, index) => ({
      ...event,
      stream,
      revision: start + index,
      position: (position += 1n),
      recordedAt: new Date(),
    }));
  };
}

/** Puts new events of a stream on to the bus, as the relay does. */
export function createFeed(bus: EventBus): (stream: string, count: number) => Promise<readonly RecordedEvent[]> {
  const record = createRecorder();
  return async (stream, count) => {
    const events = record(stream, count);
    await bus.publish(events);
    return events;
  };
}
