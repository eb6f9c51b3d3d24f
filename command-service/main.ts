import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  configurationVariables,
  keyFileVariables,
  logVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { checkReadable } from '@workledger/shared/read-models/check-readable.ts';
import { dependencyModel } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { checkPool } from '@workledger/shared/service/check-pool.ts';
import { openEventLog } from '@workledger/shared/service/open-event-log.ts';
import { openPool } from '@workledger/shared/service/open-pool.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { commandServiceMigrations } from './processes/heartbeats.ts';
import { registerKeyFiles } from './key-files/key-files.ts';
import { startCommandService } from './start.ts';

const POOL_SIZE = 20;

await runService({
  name: 'command-service',
  summary:
    'The write side of Workledger: takes commands and webhook deliveries over HTTP, and appends events to the log.',
  variables: { ...serverVariables(8081), ...logVariables, ...configurationVariables, ...keyFileVariables },
  dependencies: ['postgresql', 'event-log', 'read-models'],
  start: async (service) => {
    const { environment, logger } = service;
    const { configuration, folder } = await loadConfiguration(environment.WORKLEDGER_CONFIG);

    const pool = openPool(service, POOL_SIZE);
    await service.dependOn(
      'postgresql',
      async () => {
        await migrate(environment.DATABASE_URL, 'artefacts', artefactMigrations);
        await migrate(environment.DATABASE_URL, 'command_service', commandServiceMigrations);
      },
      () => checkPool(pool),
    );
    const log = await openEventLog(service);
    // Claims look there for candidates.
    const candidates = [taskModel, dependencyModel];
    await service.dependOn('read-models', () => checkReadable(pool, candidates));

    const artefacts = createPostgresArtefacts(pool);
    const commandService = await startCommandService({ log, pool, artefacts, configuration, folder, logger });
    service.onClose(() => commandService.stop(), 'the watch over agents');
    const { commands, keys } = commandService;
    const files = { adminKeyFile: environment.ADMIN_KEY_FILE, serviceKeyFile: environment.SERVICE_KEY_FILE };
    await service.patiently('event-log', () => registerKeyFiles(files, commands, keys));
    service.serve(commandService.routes, authenticateWith(keys));
  },
});
