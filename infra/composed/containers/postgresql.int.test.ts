import { GenericContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { dockerAnswers, appendsAndReads, serverOf } from '../../testing/servers/docker.ts';

const PORT = 5432;

describe.runIf(await dockerAnswers('PostgreSQL in a container'))('PostgreSQL in a container', () => {
  let stop: () => Promise<unknown>;
  let log: EventLog;
  let url: string;
  beforeAll(async () => {
    const container = await new GenericContainer(serverOf('postgresql').image)
      .withEnvironment({ POSTGRES_PASSWORD: 'test' })
      .withExposedPorts(PORT)
      // The first start is the one that initialises; its server is not reachable from outside.
      .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
      .start();
    stop = () => container.stop();
    url = `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(PORT)}/postgres`;
    log = await createPostgresEventLog({ connectionString: url });
  }, 300_000);
  afterAll(async () => {
    await log?.close();
    await stop?.();
  });

  it('takes the migrations and events, refuses a second writer, and has the events when read', async () => {
    await migrateReadModels(url);
    expect(await appendsAndReads(log)).toEqual([0, 1]);
  });
});
