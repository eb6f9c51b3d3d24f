import { compactText, createReader, int16, int32, uvarint, type Reader } from './wire.ts';

/**
 * Metadata, version 12: the request in which Kafka tells the ids of topics, which kafkajs does not know.
 * Source: https://kafka.apache.org/protocol#The_Messages_Metadata
 */
const METADATA = 3;
const VERSION = 12;
const NO_TAGS = uvarint(0);
const NO_ID = Buffer.alloc(16);
const FALSE = Buffer.alloc(1);

export type TopicMetadata = {
  readonly name: string | null;
  /** Hexadecimal; another one when the topic was deleted and made anew. */
  readonly id: string;
  /** 0: none, 3: there is no such topic. */
  readonly errorCode: number;
};

/** The request, its length before it. */
export function metadataRequest(correlationId: number, clientId: string, topics: readonly string[]): Buffer {
  const client = Buffer.from(clientId);
  const body = Buffer.concat([
    ...[int16(METADATA), int16(VERSION), int32(correlationId), int16(client.length), client, NO_TAGS],
    uvarint(topics.length + 1),
    ...topics.flatMap((topic) => [NO_ID, compactText(topic), NO_TAGS]),
    ...[FALSE, FALSE, NO_TAGS],
  ]);
  return Buffer.concat([int32(body.length), body]);
}

/** What the answer tells of topics, without the length before it. @throws RangeError when it is no such answer */
export function readMetadata(answer: Buffer): TopicMetadata[] {
  const reader = createReader(answer);
  reader.int32();
  reader.skipTags();
  reader.int32();
  reader.compactArray(() => skipBroker(reader));
  reader.compactText();
  reader.int32();
  return reader.compactArray(() => readTopic(reader));
}

function skipBroker(reader: Reader): void {
  reader.int32();
  reader.compactText();
  reader.int32();
  reader.compactText();
  reader.skipTags();
}

function readTopic(reader: Reader): TopicMetadata {
  const errorCode = reader.int16();
  const name = reader.compactText();
  const id = reader.bytes(16).toString('hex');
  reader.bytes(1);
  reader.compactArray(() => {
    reader.bytes(2 + 3 * 4);
    for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32());
    reader.skipTags();
  });
  reader.int32();
  reader.skipTags();
  return { name, id, errorCode };
}
