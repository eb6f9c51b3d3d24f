import { resolve } from 'node:path';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { createHttpCommands } from '@workledger/shared/commands/http/http-commands.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  busVariables,
  configurationVariables,
  logVariables,
  sagaVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { watchLag } from '@workledger/shared/event-bus/kafka/watch-lag.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { WORK_TIMEOUT } from '@workledger/shared/resilience/database-connection.ts';
import { readKeyFile } from '@workledger/shared/security/key-file.ts';
import { checkPool } from '@workledger/shared/service/check-pool.ts';
import { openEventBus } from '@workledger/shared/service/open-event-bus.ts';
import { openEventLog } from '@workledger/shared/service/open-event-log.ts';
import { openPool } from '@workledger/shared/service/open-pool.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { createComponents } from './components/catalogue.ts';
import { createTaskReader } from './components/environment.ts';
import { sagaMigrations } from './engine/migrations.ts';
import { startSagas } from './start.ts';

const POOL_SIZE = 24;
/** Calls in hand; how many programs and git commands really run at once is the components' own limit. */
const CALLS_AT_ONCE = 16;

await runService({
  name: 'sagas',
  summary:
    'Drives the pipelines of every task: asks components and agents for work, retries, undoes. Any number share the work.',
  variables: {
    ...serverVariables(8085),
    ...logVariables,
    ...busVariables,
    ...configurationVariables,
    ...sagaVariables,
  },
  dependencies: ['postgresql', 'event-log', 'kafka', 'command-service'],
  start: async (service) => {
    const { environment, logger, outages } = service;
    const { configuration } = await loadConfiguration(environment.WORKLEDGER_CONFIG);
    const { agents, leaseSeconds, heartbeatSeconds } = configuration;
    const dataFolder = resolve(environment.DATA_FOLDER);

    const pool = openPool(service, POOL_SIZE, WORK_TIMEOUT);
    await service.dependOn(
      'postgresql',
      async () => {
        await migrate(environment.DATABASE_URL, 'artefacts', artefactMigrations);
        await migrate(environment.DATABASE_URL, 'sagas', sagaMigrations);
      },
      () => checkPool(pool),
    );
    const log = await openEventLog(service);
    const bus = await openEventBus(service);
    const urls = environment.COMMAND_SERVICE_URL;
    const commands = createHttpCommands({ urls, key: await readKeyFile(environment.SERVICE_KEY_FILE), outages });
    await service.dependOn('command-service', () => someoneIsReady(urls));

    const artefacts = createPostgresArtefacts(pool);
    const readTask = createTaskReader(log);
    const sagas = await startSagas({
      log,
      bus,
      pool,
      commands,
      components: createComponents({ configuration, artefacts, readTask, dataFolder, logger }),
      agents,
      leaseSeconds,
      heartbeatSeconds,
      callConcurrency: CALLS_AT_ONCE,
      alone: false,
      logger,
      outages,
    });
    const lag = watchLag(bus, service.closing);
    service.tell(() => ({ lag: lag() }));
    service.run(sagas.failed.then((error) => Promise.reject(error as Error)));
    service.onClose(() => sagas.stop(), 'the sagas');
  },
});

async function someoneIsReady(urls: readonly string[]): Promise<void> {
  await Promise.any(
    urls.map(async (url) => {
      const answer = await fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(2_000) });
      if (!answer.ok) throw new Error(`${url} is not ready: ${answer.status}`);
    }),
  );
}
