import { createKafkaBus } from '../event-bus/kafka/kafka-bus.ts';
import type { EventBus } from '../event-bus/port.ts';
import type { Service } from './run-service.ts';
import { tellConsumeError } from './tell.ts';

type Needed = Pick<Service<never>, 'name' | 'logger' | 'outages' | 'dependOn' | 'onClose'> & {
  readonly environment: { readonly KAFKA_BROKERS: readonly string[]; readonly KAFKA_TOPIC_PREFIX: string };
};

/** The event bus of the environment, as dependency `kafka`; topics that are missing are made. */
export async function openEventBus({
  name,
  environment,
  logger,
  outages,
  dependOn,
  onClose,
}: Needed): Promise<EventBus> {
  const bus = createKafkaBus({
    brokers: environment.KAFKA_BROKERS,
    topicPrefix: environment.KAFKA_TOPIC_PREFIX,
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
