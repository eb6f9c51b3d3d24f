import type { KafkaAccess } from '../../config/server-access.ts';
import { createOutages, type Outages, type Outage } from '../../resilience/outages/outages.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  partitionKey,
  type ConsumeError,
  type EventBus,
  OffsetOutOfRange,
  type ConsumeOptions,
  type Consumer,
} from '../port.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { createCluster, type Cluster } from './cluster.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { createPublisher } from './publisher.ts';
import { PUBLISH_TIMEOUT } from './timing.ts';
import { createClient, type ClientOptions } from './client.ts';
import { runMember } from './member.ts';
import { WrongTopicSettings } from './topics.ts';

export type KafkaBusOptions = {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** TLS and login; default: neither. */
  readonly access?: KafkaAccess;
  /** How Kafka's own logs name this process. */
  readonly clientId: string;
  readonly logger: Logger;
  /** The process's own, if it has one; Kafka is `kafka` there. */
  readonly outages?: Outages;
  /** Topics are `<prefix>.<context>`, and groups `<prefix>.<group>`; default: workledger. */
  readonly topicPrefix?: string;
  /** Of topics that are made; default: one a broker, at most 3. */
  readonly replicationFactor?: number | undefined;
  /** Milliseconds until a publish gives up; a restart of the broker takes 6 s. Default: 20 s. */
  readonly publishTimeout?: number;
  /** Told of every failure of a consumer's own; all of them are tried again. Kafka's outages go to the logger. */
  readonly onError?: (error: ConsumeError) => void;
};

export type KafkaBus = EventBus & {
  /**
   * Creates the topics that are missing and checks the others; publish and consume do so themselves.
   * @throws WrongTopicSettings; Error when Kafka does not answer
   */
  ensureTopics(): Promise<void>;
  /** @throws Error when Kafka does not answer */
  check(): Promise<void>;
  /** Groups of which this process is a member. */
  groups(): readonly string[];
  /** Events that wait, for each partition that this process holds for the group, keyed by `partitionKey`. */
  lag(group: string): Promise<ReadonlyMap<string, bigint>>;
};

/** The bus over Kafka. Nothing is asked of Kafka before it is used, so it may come later. */
export function createKafkaBus(options: KafkaBusOptions): KafkaBus {
  const { logger, topicPrefix = 'workledger', publishTimeout = PUBLISH_TIMEOUT } = options;
  const outages = options.outages ?? createOutages(logger);
  const outage = outages.of('kafka');
  const cluster = createCluster(options, topicPrefix);
  const publisher = createPublisher(options, cluster, outage, publishTimeout);
  const closing = new AbortController();
  const members = new Set<{ group: string; queues: Map<string, PartitionQueue>; done: Promise<void> }>();
  const onError = options.onError ?? (() => undefined);

  return {
    publish: publisher.publish,
    prepare: publisher.prepare,

    consume: async (consumeOptions, consumer) => {
      const signal = AbortSignal.any([consumeOptions.signal, closing.signal]);
      const group = `${topicPrefix}.${consumeOptions.group}`;
      const queues = new Map<string, PartitionQueue>();
      const context = { client: options, cluster, outage, logger, onError, queues };
      const done = consumeTopics(context, { ...consumeOptions, group, signal }, consumer);
      const member = { group: consumeOptions.group, queues, done };
      members.add(member);
      try {
        await done;
      } finally {
        members.delete(member);
      }
    },

    endOffsets: async (topics) => {
      const ranges = await outages.watch('kafka', async () => {
        await cluster.ensureTopics();
        return cluster.ranges(topics);
      });
      return new Map([...ranges].map(([key, { high }]) => [key, high]));
    },

    topicIds: (topics) => outages.watch('kafka', () => cluster.topicIds(topics)),
    ensureTopics: cluster.ensureTopics,
    check: cluster.check,

    groups: () => [...new Set([...members].map(({ group }) => group))].toSorted(),

    lag: async (group) => {
      const held = [...members]
        .filter((member) => member.group === group)
        .flatMap(({ queues }) => [...queues.values()]);
      const ranges = await cluster.ranges([...new Set(held.map(({ partition }) => partition.topic))]);
      return new Map(
        held.flatMap((queue) => {
          const [key, progress] = [partitionKey(queue.partition), queue.progress()];
          return progress === null ? [] : [[key, (ranges.get(key)?.high ?? progress) - progress]];
        }),
      );
    },

    close: async () => {
      closing.abort();
      await Promise.allSettled([...members].map(({ done }) => done));
      await publisher.close();
      await cluster.close();
    },
  };
}

type ConsumeContext = {
  readonly client: ClientOptions;
  readonly cluster: Cluster;
  readonly outage: Outage;
  readonly logger: Logger;
  readonly onError: (error: ConsumeError) => void;
  /** The partitions that this member holds, kept up to date. */
  readonly queues: Map<string, PartitionQueue>;
};

/**
 * Is a member of the group until the signal aborts; one that is lost joins anew, after a pause.
 * @throws OffsetOutOfRange, WrongTopicSettings
 */
async function consumeTopics(context: ConsumeContext, options: ConsumeOptions, consumer: Consumer): Promise<void> {
  const { cluster, outage } = context;
  const { group, signal } = options;
  const beMember = async (worked: () => void): Promise<void> => {
    const onPlaced = (): void => {
      worked();
      outage.worked(group);
    };
    await cluster.ensureTopics();
    await runMember({ ...context, ...options, client: createClient(context.client), consumer, onPlaced });
  };
  await keepTrying(beMember, {
    signal,
    shortest: 100,
    longest: 2_000,
    retryWhile: (error) => !(error instanceof OffsetOutOfRange || error instanceof WrongTopicSettings),
    onFailed: (error) => {
      if (signal.aborted) return;
      cluster.forgetTopics();
      outage.failed(group, error);
    },
  });
  outage.worked(group);
}
