import kafkajs, { type Admin } from 'kafkajs';
import type { Context } from '../../contexts/define-events.ts';
import { pause } from '../../resilience/pause.ts';
import { withDeadline } from '../../resilience/with-deadline.ts';
import { partitionKey, type Offset } from '../port.ts';
import { createClient, type Client, type ClientOptions } from './client.ts';
import { OPEN } from './open-socket.ts';
import { ADMIN_TIMEOUT } from './timing.ts';
import { askTopicIds } from './topic-ids.ts';
import { ensureTopics, topicNames, WrongTopicSettings, type TopicNames, type TopicOptions } from './topics.ts';

/** `low`: the first offset that is there; `high`: the one that the next event gets. */
export type OffsetRange = { readonly low: Offset; readonly high: Offset };

export type Cluster = {
  readonly names: TopicNames;
  /** Creates and checks the topics, unless that was done before. @throws WrongTopicSettings */
  ensureTopics(): Promise<void>;
  /** Something failed: the topics may be gone, and are looked at again. */
  forgetTopics(): void;
  /** Kafka's ids of the topics; those that are missing are made. */
  topicIds(topics: readonly Context[]): Promise<ReadonlyMap<Context, string>>;
  /** What each partition holds now, keyed by `partitionKey`. */
  ranges(topics: readonly Context[]): Promise<ReadonlyMap<string, OffsetRange>>;
  /** @throws Error when the cluster does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
};

/** What is asked of the cluster beside publishing and consuming, over one connection that is made when it is needed. */
export function createCluster(options: ClientOptions & TopicOptions, topicPrefix: string): Cluster {
  const names = topicNames(topicPrefix);
  let connected: { client: Client; admin: Admin; ready: Promise<void> } | null = null;
  let ensured: Promise<void> | null = null;

  async function ask<Answer>(what: string, question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const { admin, client, ready } = (connected ??= connect());
    try {
      const asked = ready.then(() => untilSettled(() => question(admin)));
      return await withDeadline(asked, ADMIN_TIMEOUT, what);
    } catch (error) {
      if (error instanceof WrongTopicSettings) throw error;
      client.kill();
      if (connected?.client === client) connected = null;
      throw error;
    }
  }

  function connect(): { client: Client; admin: Admin; ready: Promise<void> } {
    const client = createClient(options);
    const admin = client.kafka.admin();
    return { client, admin, ready: admin.connect() };
  }

  function ensure(): Promise<void> {
    const asked = (ensured ??= ask('Kafka topics', (admin) => ensureTopics(admin, names, options)));
    asked.catch(() => {
      if (ensured === asked) ensured = null;
    });
    return asked;
  }

  const forgetTopics = (): void => {
    ensured = null;
  };

  return {
    names,
    ensureTopics: ensure,
    forgetTopics,
    topicIds: async (topics) => {
      await ensure();
      try {
        const asked = askTopicIds(options.brokers, options.clientId, options.access ?? OPEN, topics.map(names.nameOf));
        const ids = await withDeadline(asked, ADMIN_TIMEOUT, 'ids of Kafka topics');
        return new Map([...ids].map(([name, id]) => [names.contextOf(name), id]));
      } catch (error) {
        forgetTopics();
        throw error;
      }
    },
    ranges: async (topics) => {
      const found = await ask('offsets of Kafka topics', (admin) =>
        Promise.all(
          topics.map(async (topic) => ({ topic, offsets: await admin.fetchTopicOffsets(names.nameOf(topic)) })),
        ),
      );
      return new Map(
        found.flatMap(({ topic, offsets }) =>
          offsets.map(({ partition, low, high }) => [
            partitionKey({ topic, partition }),
            { low: BigInt(low), high: BigInt(high) },
          ]),
        ),
      );
    },
    check: async () => {
      await ask('Kafka', (admin) => admin.describeCluster());
    },
    close: async () => {
      const last = connected;
      connected = null;
      await last?.admin.disconnect().catch(() => undefined);
      last?.client.kill();
    },
  };
}

/** Asks again where a broker says that it is about to know: topics that are new, leaders that have just changed. */
async function untilSettled<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSProtocolError && error.retriable) || attempt === 50) throw error;
      await pause(100);
    }
  }
}
