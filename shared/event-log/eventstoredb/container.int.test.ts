import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, describe } from 'vitest';
import { dockerAnswers } from '@workledger/infra/testing/servers/docker.ts';
import { eventLogContract } from '../contract.ts';
import { createEventStoreDbLog } from './event-log.ts';

/** The newest of the line whose behaviour the adapter was written for. */
const IMAGE = 'docker.io/eventstore/eventstore:23.10.1-bookworm-slim';
const PORT = 2113;
const SETTINGS = {
  EVENTSTORE_INSECURE: 'true',
  EVENTSTORE_CLUSTER_SIZE: '1',
  EVENTSTORE_RUN_PROJECTIONS: 'None',
  EVENTSTORE_NODE_IP: '0.0.0.0',
  EVENTSTORE_NODE_PORT: String(PORT),
  EVENTSTORE_MEM_DB: 'true',
};

describe.runIf(await dockerAnswers('The event log contract on EventStoreDB in a container'))('in a container', () => {
  let container: StartedTestContainer;
  beforeAll(async () => {
    container = await new GenericContainer(IMAGE)
      .withEnvironment(SETTINGS)
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
      .start();
  }, 300_000);
  afterAll(() => container.stop());

  eventLogContract('EventStoreDB', () =>
    createEventStoreDbLog({
      connectionString: `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`,
    }),
  );
});
