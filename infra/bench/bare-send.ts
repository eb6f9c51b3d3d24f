import type { Kafka } from 'kafkajs';
import type { PartitionedMessage } from '@workledger/shared/event-bus/kafka/message.ts';

/** What one would write by hand: batch after batch of messages that are ready. */
export async function bareSend(
  kafka: Kafka,
  topic: string,
): Promise<{ send(batches: readonly PartitionedMessage[][]): Promise<void>; close(): Promise<void> }> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: () => (args) => (args.message as PartitionedMessage).partition,
  });
  await producer.connect();
  return {
    send: async (batches) => {
      for (const messages of batches) await producer.sendBatch({ acks: -1, topicMessages: [{ topic, messages }] });
    },
    close: () => producer.disconnect(),
  };
}
