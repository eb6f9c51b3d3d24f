import { Kafka, logLevel } from 'kafkajs';
import { contexts } from '../../../events/catalogue.ts';
import { pause } from '../../../resilience/pause.ts';

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
