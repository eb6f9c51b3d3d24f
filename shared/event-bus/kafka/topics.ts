import kafkajs, { type Admin } from 'kafkajs';
import { contexts } from '../../events/catalogue.ts';
import type { Context } from '../../contexts/define-events.ts';
import { PARTITIONS } from '../port.ts';

/** Kept for ever, never compacted: a new consumer may start from offset 0. */
const SETTINGS: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
};

/** Room for the largest event (`event-log/check-append.ts`), and for what the publisher sends at once (`publisher.ts`). */
const MESSAGE_BYTES = 'max.message.bytes';
const LEAST_MESSAGE_BYTES = 1_000_000;

export type TopicOptions = {
  /** Of topics that are made; from 3 on, two replicas must have an event before it counts. Default: one a broker, at most 3. */
  readonly replicationFactor?: number | undefined;
};

/** A topic is there with other settings than Workledger needs. Nobody but its owner may change it. */
export class WrongTopicSettings extends Error {
  override name = 'WrongTopicSettings';
}

export type TopicNames = { nameOf(context: Context): string; contextOf(topic: string): Context };

/** @throws RangeError from `contextOf` for a topic that is none of ours */
export function topicNames(prefix: string): TopicNames {
  const byName = new Map(contexts.map((context) => [`${prefix}.${context}`, context]));
  return {
    nameOf: (context) => `${prefix}.${context}`,
    contextOf: (topic) => {
      const context = byName.get(topic);
      if (context === undefined) throw new RangeError(`topic "${topic}" is none of ${[...byName.keys()].join(', ')}`);
      return context;
    },
  };
}

/**
 * Creates the topics that are missing and looks at those that are there.
 * @throws WrongTopicSettings naming everything that differs
 */
export async function ensureTopics(admin: Admin, names: TopicNames, options: TopicOptions): Promise<void> {
  const topics = contexts.map(names.nameOf);
  const there = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !there.has(topic));
  if (missing.length > 0) await createTopics(admin, missing, options);
  const faults = [...(await wrongPartitions(admin, topics)), ...(await wrongSettings(admin, topics))];
  if (faults.length === 0) return;
  throw new WrongTopicSettings(
    `Kafka topics with other settings than needed: ${faults.join('; ')}. ` +
      'Choose another topic prefix, or change them by hand (partitions are fixed for life: a stream must stay where it is)',
  );
}

async function createTopics(admin: Admin, topics: readonly string[], options: TopicOptions): Promise<void> {
  const replicationFactor = options.replicationFactor ?? Math.min(3, (await admin.describeCluster()).brokers.length);
  const settings = { ...SETTINGS, 'min.insync.replicas': replicationFactor >= 3 ? '2' : '1' };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({
    topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor, configEntries })),
    waitForLeaders: true,
  });
}

async function wrongPartitions(admin: Admin, topics: string[]): Promise<string[]> {
  const { topics: found } = await admin.fetchTopicMetadata({ topics });
  return found
    .filter(({ partitions }) => partitions.length !== PARTITIONS)
    .map(({ name, partitions }) => `${name} has ${partitions.length} partitions, not ${PARTITIONS}`);
}

async function wrongSettings(admin: Admin, topics: readonly string[]): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [...Object.keys(SETTINGS), MESSAGE_BYTES],
    })),
  });
  return resources.flatMap(({ resourceName, configEntries }) =>
    configEntries.flatMap(({ configName, configValue }) => {
      const fault = faultOf(configName, configValue);
      return fault === null ? [] : [`${resourceName} has ${configName}=${configValue}, ${fault}`];
    }),
  );
}

function faultOf(name: string, value: string): string | null {
  if (name === MESSAGE_BYTES) return Number(value) < LEAST_MESSAGE_BYTES ? `less than ${LEAST_MESSAGE_BYTES}` : null;
  return value === SETTINGS[name] ? null : `not ${SETTINGS[name]}`;
}
