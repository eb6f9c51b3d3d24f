import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import { newId } from '../../../contexts/stream.ts';

/** A message as it stands in a topic, and which producer sent it in which of its batches. */
export type KafkaRecord = {
  /** `<topic>/<number>` */
  readonly partition: string;
  readonly offset: bigint;
  /** When it was sent, by the sender's clock, in milliseconds. */
  readonly sentAt: number;
  readonly producer: string;
  /** The same for what one request carried to this partition. */
  readonly batch: string;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
};

type Sent = KafkaMessage & { readonly batchContext: { readonly producerId: string; readonly firstOffset: string } };

/** Reads topics as any other system would: from offset 0 to where they end now, every record, nothing dropped. */
export async function readRecords(brokers: readonly string[], topics: readonly string[]): Promise<KafkaRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'plain-reader', logLevel: logLevel.NOTHING });
  const left = await endOffsets(kafka, topics);
  const records: KafkaRecord[] = [];
  if (left.size === 0) return records;
  const consumer = kafka.consumer({ groupId: `plain-reader-${newId()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachBatch: Parameters<typeof consumer.run>[0] = {
        autoCommit: false,
        eachBatch: ({ batch }) => {
          const partition = `${batch.topic}/${batch.partition}`;
          for (const message of batch.messages) records.push(recordOf(partition, message as Sent));
          const end = left.get(partition);
          if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) left.delete(partition);
          if (left.size === 0) resolve();
          return Promise.resolve();
        },
      };
      consumer.run(eachBatch).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}

async function endOffsets(kafka: Kafka, topics: readonly string[]): Promise<Map<string, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = new Map<string, bigint>();
    for (const topic of topics)
      for (const { partition, high } of await admin.fetchTopicOffsets(topic))
        if (BigInt(high) > 0n) ends.set(`${topic}/${partition}`, BigInt(high));
    return ends;
  } finally {
    await admin.disconnect();
  }
}

function recordOf(partition: string, { offset, timestamp, value, batchContext }: Sent): KafkaRecord {
  const { id, subject, revision } = JSON.parse(String(value)) as { id: string; subject: string; revision: number };
  const { producerId, firstOffset } = batchContext;
  return {
    partition,
    offset: BigInt(offset),
    sentAt: Number(timestamp),
    producer: producerId,
    batch: `${partition} from ${firstOffset}`,
    id,
    stream: subject,
    revision,
  };
}
