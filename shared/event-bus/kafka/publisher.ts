import { setImmediate } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { createTurns } from '../../resilience/in-turn.ts';
import type { Outage } from '../../resilience/outages/outages.ts';
import { withDeadline } from '../../resilience/with-deadline.ts';
import type { EventBus } from '../port.ts';
import { contextOf } from '../../events/catalogue.ts';
import type { Context } from '../../contexts/define-events.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { createClient, type Client, type ClientOptions } from './client.ts';
import type { Cluster } from './cluster.ts';
import { messageOf, type PartitionedMessage, bytesOf } from './message.ts';
import { DISCONNECT_TIMEOUT, REQUEST_TIMEOUT, RETRY } from './timing.ts';
import { WrongTopicSettings } from './topics.ts';

export type Publisher = Required<Pick<EventBus, 'publish' | 'prepare' | 'close'>>;

/** So many events are encoded before the event loop turns: about a millisecond's work. */
const SLICE = 64;

/**
 * Publishes in order with an idempotent producer. One request is in flight, ever: after a failure kafkajs numbers the next
 * request like the failed one, and the broker would drop it as a repeat. When it is not known whether a request arrived, its
 * producer is thrown away and the caller starts again from what it knows to be published: a repeat, never a gap.
 * @param timeout milliseconds for one request, a restart of the broker included
 */
export function createPublisher(options: ClientOptions, cluster: Cluster, outage: Outage, timeout: number): Publisher {
  const inTurn = createTurns();
  let current: { client: Client; producer: Producer; ready: Promise<void> } | null = null;
  let closed = false;

  function connect(): { client: Client; producer: Producer; ready: Promise<void> } {
    const client = createClient(options);
    const producer = client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => (args) => (args.message as PartitionedMessage).partition,
      // More than fit into the deadline, but not for ever: a producer that was given up comes to its end.
      retry: { ...RETRY, retries: Math.ceil(timeout / RETRY.maxRetryTime) + 10 },
    });
    return { client, producer, ready: producer.connect() };
  }

  async function send(request: Request): Promise<void> {
    const { client, producer, ready } = (current ??= connect());
    const topicMessages = [...request.messages].map(([topic, messages]) => ({
      topic: cluster.names.nameOf(topic),
      messages,
    }));
    try {
      const sent = ready.then(() => producer.sendBatch({ acks: -1, timeout: REQUEST_TIMEOUT, topicMessages }));
      await withDeadline(sent, timeout, `publishing ${request.events} events to Kafka`);
    } catch (error) {
      client.kill();
      current = null;
      throw error;
    }
  }

  const sendAll = (requests: Iterable<Request>): Promise<void> =>
    inTurn('publish', async () => {
      if (closed) throw new Error('the event bus is closed');
      try {
        await cluster.ensureTopics();
        for (const request of requests) await send(request);
        outage.worked('publisher');
      } catch (error) {
        cluster.forgetTopics();
        // What only its owner can mend is nothing to wait for.
        if (!(error instanceof WrongTopicSettings || error instanceof RangeError)) outage.failed('publisher', error);
        throw error;
      }
    });

  return {
    publish: (events) => sendAll(cutIntoRequests(events)),
    prepare: async (events) => {
      const messages: PartitionedMessage[] = [];
      for (const event of events) if (messages.push(messageOf(event)) % SLICE === 0) await setImmediate();
      const requests = [...cutIntoRequests(events, messages)];
      return () => sendAll(requests);
    },
    close: async () => {
      closed = true;
      await inTurn('publish', async () => {
        const { client, producer } = current ?? {};
        current = null;
        if (producer === undefined) return;
        await withDeadline(producer.disconnect(), DISCONNECT_TIMEOUT, 'disconnecting from Kafka').catch(
          () => undefined,
        );
        client?.kill();
      });
    },
  };
}

/** A broker takes 1 MiB a partition and request (`message.max.bytes`). */
const PARTITION_BYTES = 900_000;
const REQUEST_BYTES = 4_000_000;

type Request = { readonly events: number; readonly messages: ReadonlyMap<Context, PartitionedMessage[]> };

/**
 * Cuts events into requests that a broker takes, in order. Made one by one: what is not yet sent is not yet encoded, unless the
 * caller has the messages already.
 * @throws RangeError for an event whose stream type is in no context
 */
export function* cutIntoRequests(
  events: readonly RecordedEvent[],
  encoded?: readonly PartitionedMessage[],
): Generator<Request> {
  let request = createRequest();
  for (const [index, event] of events.entries()) {
    const topic = contextOf(event.stream);
    if (topic === null)
      throw new RangeError(`stream "${event.stream}" is of no type of the catalogue: it has no topic`);
    const message = encoded?.[index] ?? messageOf(event);
    if (!request.fits(topic, message)) {
      yield request.done();
      request = createRequest();
    }
    request.add(topic, message);
  }
  if (events.length > 0) yield request.done();
}

function createRequest() {
  const messages = new Map<Context, PartitionedMessage[]>();
  const partitionBytes = new Map<string, number>();
  let bytes = 0;
  let events = 0;
  return {
    fits: (topic: Context, message: PartitionedMessage): boolean => {
      const more = bytesOf(message);
      const held = partitionBytes.get(`${topic}/${message.partition}`) ?? 0;
      return events === 0 || (held + more <= PARTITION_BYTES && bytes + more <= REQUEST_BYTES);
    },
    add: (topic: Context, message: PartitionedMessage): void => {
      const key = `${topic}/${message.partition}`;
      const more = bytesOf(message);
      partitionBytes.set(key, (partitionBytes.get(key) ?? 0) + more);
      bytes += more;
      events += 1;
      const ofTopic = messages.get(topic);
      if (ofTopic === undefined) messages.set(topic, [message]);
      else ofTopic.push(message);
    },
    done: (): Request => ({ events, messages }),
  };
}
