import type { Batch, KafkaMessage } from 'kafkajs';
import { decodeCloudEvent } from '../../events/published/cloud-event.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Fetched, FetchedEvent } from './partition-queue.ts';

/** An event that is in Kafka but cannot be read. Passing over it would lose it: its partition stands still until it can. */
class UnreadableEvent extends Error {
  override name = 'UnreadableEvent';
}

/** The events of what kafkajs fetched. A message that is no CloudEvent at all is told and passed over. */
export function decodeBatch(batch: Batch, logger: Logger): Fetched {
  const { topic, partition, messages } = batch;
  const events: FetchedEvent[] = [];
  for (const message of messages) {
    const { value, offset } = message;
    const bytes = value ?? Buffer.alloc(0);
    try {
      events.push({ offset: BigInt(offset), bytes: bytes.length, event: decodeCloudEvent(bytes) });
    } catch (error) {
      if (isCloudEvent(message)) {
        const where = `offset ${offset} of ${topic}/${partition}`;
        const reason = error instanceof Error ? error.message : String(error);
        const event = new UnreadableEvent(
          `the event at ${where} cannot be read, and nothing behind it is handled: ${reason}. ` +
            'Update this program if the event is newer than it, or delete the topics: they are made anew from the log',
          { cause: error },
        );
        events.push({ offset: BigInt(offset), bytes: bytes.length, event });
      } else
        logger.error(
          { err: error, topic, partition, offset },
          'a message that is no event of Workledger was passed over',
        );
    }
  }
  return { next: BigInt(batch.lastOffset()) + 1n, events };
}

/** By its header, or by its own words. */
function isCloudEvent({ value, headers }: KafkaMessage): boolean {
  if (String(headers?.['content-type']).startsWith('application/cloudevents')) return true;
  try {
    const parsed: unknown = JSON.parse(String(value));
    return typeof parsed === 'object' && parsed !== null && 'specversion' in parsed;
  } catch {
    return false;
  }
}
