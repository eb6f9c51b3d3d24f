import { GenericContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, expect, it, describe } from 'vitest';
import { createEventStoreDbLog } from '@workledger/shared/event-log/eventstoredb/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { dockerAnswers, appendsAndReads, serverOf } from '../../testing/servers/docker.ts';

const PORT = 2113;

describe.runIf(await dockerAnswers('EventStoreDB in a container'))('EventStoreDB in a container', () => {
  let stop: () => Promise<unknown>;
  let log: EventLog;
  beforeAll(async () => {
    const { image, environment } = serverOf('eventstoredb');
    const open = Object.entries(environment).filter(([name]) => !/CERTIFICATE|PASSWORD/.test(name));
    const container = await new GenericContainer(image)
      .withEnvironment({ ...Object.fromEntries(open), EVENTSTORE_INSECURE: 'true' })
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
      .start();
    stop = () => container.stop();
    const address = `${container.getHost()}:${container.getMappedPort(PORT)}`;
    log = await createEventStoreDbLog({ connectionString: `esdb://${address}?tls=false` });
  }, 300_000);
  afterAll(async () => {
    await log?.close();
    await stop?.();
  });

  it('takes events, refuses a second writer, and has them when read', async () => {
    expect(await appendsAndReads(log)).toEqual([0, 1]);
  });
});
