import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactTables } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { createHttpOriginLookup } from '@workledger/shared/commands/origin-lookup.ts';
import { createLive } from '@workledger/shared/config/live.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  callerVariables,
  configurationVariables,
  keyFileVariables,
  logVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { dependencyModel } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import { loadPlugins } from '@workledger/shared/plugins/load.ts';
import { pluginMiddleware } from '@workledger/shared/plugins/middleware.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { readKeyFile } from '@workledger/shared/security/api-key.ts';
import { readMacKeys } from '@workledger/shared/security/key-macs.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { createSecretHashOf } from '@workledger/shared/security/secrets.ts';
import { followLive, openEventLog, openPool, openTables, untilReadable } from '@workledger/shared/service/open.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { registerKeyFiles } from './key-files/key-files.ts';
import { migrations, start } from './start.ts';

const POOL_SIZE = 20;

void runService({
  name: 'command-service',
  summary:
    'The write side of Workledger: takes commands and webhook deliveries over HTTP, and appends events to the log.',
  variables: {
    ...{ ...serverVariables(8081), ...logVariables, ...configurationVariables },
    ...{ ...callerVariables, ...keyFileVariables },
  },
  dependencies: ['postgresql', 'event-log', 'read-models'],
  start: async (service) => {
    const { environment, logger } = service;
    const macs = await readMacKeys(environment.KEY_MAC_FILE);
    const loaded = await loadConfiguration(environment.WORKLEDGER_CONFIG);
    const plugins = await loadPlugins(loaded.configuration, loaded.folder, logger);
    const pool = openPool(service, POOL_SIZE);
    await openTables(service, pool, [artefactTables, ...migrations]);
    const log = await openEventLog(service);
    const live = createLive(loaded);
    await followLive(service, live, log);
    // Claims look there for candidates.
    await untilReadable(service, pool, [taskModel, dependencyModel]);

    const keys = createKeyStore(log, { macs, secretHashOf: createSecretHashOf(pool) });
    const { SAGAS_URL: urls, SERVICE_KEY_FILE: keyFile } = environment;
    const commandService = await start({
      ...{ configuration: live.view('command-service'), folder: loaded.folder, plugins, live },
      ...{ log, pool, keys, artefacts: createPostgresArtefacts(pool), logger },
      ...(urls !== undefined &&
        keyFile !== undefined && {
          whyNotInOrigin: createHttpOriginLookup({ urls, key: await readKeyFile(keyFile), logger }),
        }),
    });
    service.run(commandService);
    const files = { adminKeyFile: environment.ADMIN_KEY_FILE, serviceKeyFile: environment.SERVICE_KEY_FILE };
    await service.patiently('event-log', () => registerKeyFiles(files, commandService.commands, keys, log));
    const trustedProxies = [...loaded.configuration.trustedProxies, ...(environment.TRUSTED_PROXIES ?? [])];
    service.serve(commandService.routes, authenticateWith(keys, { logger, trustedProxies }), pluginMiddleware(plugins));
  },
});
