import type { Batch } from 'kafkajs';
import { decodeCloudEvent } from '../../events/published/cloud-event.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Fetched, FetchedEvent } from './partition-queue.ts';

/** The events of what kafkajs fetched. A message that is no event of ours is told and passed over. */
export function decodeBatch(batch: Batch, logger: Logger): Fetched {
  const events: FetchedEvent[] = [];
  for (const { value, offset } of batch.messages) {
    try {
      const bytes = value ?? Buffer.alloc(0);
      events.push({ offset: BigInt(offset), bytes: bytes.length, event: decodeCloudEvent(bytes) });
    } catch (error) {
      const { topic, partition } = batch;
      logger.error(
        { err: error, topic, partition, offset },
        'a message that is no event of Workledger was passed over',
      );
    }
  }
  return { next: BigInt(batch.lastOffset()) + 1n, events };
}
