import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import type { RecordedEvent } from '../../../events/recorded-event.ts';
import type { EventBus } from '../../port.ts';
import { Kafka, logLevel } from 'kafkajs';
import { contexts } from '../../../events/catalogue.ts';
import { pause } from '../../../resilience/pause.ts';

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

/**
 * Deletes the topics of a bus, as if Kafka's disk was lost; resolves when they are gone: what is published to a topic on its way
 * out is acknowledged, and gone with it.
 */
export async function loseTopics(brokers: readonly string[], topicPrefix: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], clientId: 'test', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = contexts.map((context) => `${topicPrefix}.${context}`);
    await admin.deleteTopics({ topics });
    while ((await admin.listTopics()).some((topic) => topics.includes(topic))) await pause(50);
  } finally {
    await admin.disconnect();
  }
}
