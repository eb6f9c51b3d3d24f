import { createKafkaBus, type KafkaBus } from '../event-bus/kafka/kafka-bus.ts';
import type { busVariables } from '../config/service-environment.ts';
import type { Environment } from '../config/read-environment.ts';
import type { Service } from './run-service.ts';
import { tellConsumeError } from './tell.ts';

type Needed = Pick<Service<never>, 'name' | 'logger' | 'outages' | 'dependOn' | 'onClose'> & {
  readonly environment: Environment<typeof busVariables>;
};

/** The event bus of the environment, as dependency `kafka`; topics that are missing are made. */
export async function openEventBus({
  name,
  environment,
  logger,
  outages,
  dependOn,
  onClose,
}: Needed): Promise<KafkaBus> {
  const bus = createKafkaBus({
    brokers: environment.KAFKA_BROKERS,
    topicPrefix: environment.KAFKA_TOPIC_PREFIX,
    replicationFactor: environment.KAFKA_REPLICATION_FACTOR,
    clientId: `workledger-${name}`,
    onError: tellConsumeError(logger, outages),
    logger,
    outages,
  });
  onClose(() => bus.close(), 'the event bus');
  await dependOn(
    'kafka',
    () => bus.ensureTopics(),
    () => bus.check(),
  );
  return bus;
}
