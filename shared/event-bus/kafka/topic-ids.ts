import type { KafkaAccess } from '../../config/server-access.ts';
import { pause } from '../../resilience/pause.ts';
import { askBroker, type Question } from './ask-broker.ts';

const UNKNOWN_TOPIC = 3;
/** A broker hears of a new topic a moment after it was made. */
const ATTEMPTS = 20;

/**
 * The ids that Kafka gave the topics when they were made, by name: a topic that is deleted and made again has another one.
 * @param brokers `host:port`; the first one that answers is enough
 * @throws Error when no broker answers, or a topic is not there
 */
export async function askTopicIds(
  brokers: readonly string[],
  clientId: string,
  access: KafkaAccess,
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  for (let attempt = 1; ; attempt++) {
    const found = readMetadata(await askAny(brokers, clientId, access, metadataQuestion(topics)));
    const missing = found.filter(({ errorCode }) => errorCode === UNKNOWN_TOPIC);
    if (missing.length === 0) return new Map(found.map(({ name, id }) => [String(name), id]));
    if (attempt === ATTEMPTS)
      throw new Error(`Kafka has no topic ${missing.map(({ name }) => name).join(', ')} (any more)`);
    await pause(100);
  }
}

async function askAny(
  brokers: readonly string[],
  clientId: string,
  access: KafkaAccess,
  question: Question,
): Promise<Buffer> {
  const failures: unknown[] = [];
  for (const broker of brokers) {
    try {
      return await askBroker(broker, clientId, access, question);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `no broker of ${brokers.join(', ')} told the ids of its topics`);
}

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

/** What follows the request's head. */
const metadataQuestion = (topics: readonly string[]): Question => ({
  key: METADATA,
  version: VERSION,
  body: Buffer.concat([
    ...[NO_TAGS, uvarint(topics.length + 1)],
    ...topics.flatMap((topic) => [NO_ID, compactText(topic), NO_TAGS]),
    ...[FALSE, FALSE, NO_TAGS],
  ]),
});

/** What the answer tells of topics, behind its correlation id. @throws RangeError when it is no such answer */
function readMetadata(answer: Buffer): TopicMetadata[] {
  const reader = createReader(answer);
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

/** Writes and reads the few types of Kafka's protocol that the question for topic ids needs. */

/** A whole number in as many bytes as it needs. */
function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** With its length plus one before it: 0 is null. */
const compactText = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([uvarint(bytes.length + 1), bytes]);
};

/** Reads one value after the other. @throws RangeError where the bytes end too early */
export type Reader = {
  int16(): number;
  int32(): number;
  bytes(count: number): Buffer;
  compactText(): string | null;
  /** Calls `read` for each element. */
  compactArray<Element>(read: () => Element): Element[];
  /** Fields that newer brokers may add. */
  skipTags(): void;
};

function createReader(buffer: Buffer): Reader {
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > buffer.length) throw new RangeError('the answer of Kafka ends too early');
    return buffer.subarray(at, (at += count));
  };
  const varint = (): number => {
    for (let value = 0, factor = 1; ; factor *= 0x80) {
      const byte = take(1).readUInt8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  return {
    int16: () => take(2).readInt16BE(),
    int32: () => take(4).readInt32BE(),
    bytes: take,
    compactText: () => {
      const length = varint();
      return length === 0 ? null : take(length - 1).toString();
    },
    compactArray: (read) => Array.from({ length: Math.max(0, varint() - 1) }, read),
    skipTags: () => {
      for (let left = varint(); left > 0; left--) {
        varint();
        take(varint());
      }
    },
  };
}
