import type { Logger } from '../../telemetry/logger.ts';
import type { Outage } from '../../resilience/outages/outages.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { OffsetOutOfRange, type ConsumeError, type ConsumeOptions, type Consumer } from '../port.ts';
import { createClient, type ClientOptions } from './client.ts';
import type { Cluster } from './cluster.ts';
import { runMember } from './member.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { WrongTopicSettings } from './topics.ts';

export type ConsumeContext = {
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
export async function consumeTopics(
  context: ConsumeContext,
  options: ConsumeOptions,
  consumer: Consumer,
): Promise<void> {
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
