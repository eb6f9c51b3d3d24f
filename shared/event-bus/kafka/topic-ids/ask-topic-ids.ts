import { once } from 'node:events';
import { connect } from 'node:net';
import { pause } from '../../../resilience/pause.ts';
import { CONNECTION_TIMEOUT } from '../timing.ts';
import { metadataRequest, readMetadata } from './metadata.ts';

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
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  for (let attempt = 1; ; attempt++) {
    const found = readMetadata(await askAny(brokers, metadataRequest(attempt, clientId, topics)));
    const missing = found.filter(({ errorCode }) => errorCode === UNKNOWN_TOPIC);
    if (missing.length === 0) return new Map(found.map(({ name, id }) => [String(name), id]));
    if (attempt === ATTEMPTS)
      throw new Error(`Kafka has no topic ${missing.map(({ name }) => name).join(', ')} (any more)`);
    await pause(100);
  }
}

async function askAny(brokers: readonly string[], request: Buffer): Promise<Buffer> {
  const failures: unknown[] = [];
  for (const broker of brokers) {
    try {
      return await ask(broker, request);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `no broker of ${brokers.join(', ')} told the ids of its topics`);
}

async function ask(broker: string, request: Buffer): Promise<Buffer> {
  const colon = broker.lastIndexOf(':');
  const socket = connect({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) });
  try {
    socket.setTimeout(CONNECTION_TIMEOUT, () => socket.destroy(new Error(`${broker}: no answer`)));
    await once(socket, 'connect');
    socket.write(request);
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE()) return received.subarray(4);
    }
    throw new Error(`${broker} closed the connection`);
  } finally {
    socket.destroy();
  }
}
