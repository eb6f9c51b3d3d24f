import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { createLive } from '@workledger/shared/config/live.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  callerVariables,
  configurationVariables,
  liveVariables,
  logVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import { loadPlugins } from '@workledger/shared/plugins/load.ts';
import { pluginMiddleware } from '@workledger/shared/plugins/middleware.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { readMacKeys } from '@workledger/shared/security/key-macs.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { createSecretHashOf } from '@workledger/shared/security/secrets.ts';
import {
  followLive,
  openEventLog,
  openPool,
  openTables,
  openWakeUps,
  untilReadable,
} from '@workledger/shared/service/open.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { sendOverHttp } from './live/forward.ts';
import { migrations, start } from './start.ts';

const POOL_SIZE = 20;

void runService({
  name: 'query-service',
  summary: 'The read side of Workledger: answers queries from the read models, and audits from the event log.',
  variables: {
    ...serverVariables(8082),
    ...logVariables,
    ...configurationVariables,
    ...callerVariables,
    ...liveVariables,
  },
  dependencies: ['postgresql', 'event-log', 'read-models'],
  start: async (service) => {
    const { environment, logger } = service;
    const macs = await readMacKeys(environment.KEY_MAC_FILE);
    const loaded = await loadConfiguration(environment.WORKLEDGER_CONFIG);
    const { folder } = loaded;
    const live = createLive(loaded);
    const configuration = live.view('query-service');
    const pool = openPool(service, POOL_SIZE);
    await openTables(service, pool, migrations);
    const log = await openEventLog(service);
    await followLive(service, live, log);
    await untilReadable(service, pool, [taskModel]);
    const wakeUps = openWakeUps(service);
    const artefacts = createPostgresArtefacts(pool);
    const keys = createKeyStore(log, { macs, secretHashOf: createSecretHashOf(pool) });
    const readSide = await start({
      ...{ log, pool, artefacts, wakeUps, configuration, folder, keys, logger, live },
      sendCommand: sendOverHttp(environment.COMMAND_SERVICE_URL ?? []),
    });
    const trustedProxies = [...configuration.trustedProxies, ...(environment.TRUSTED_PROXIES ?? [])];
    const authenticate = authenticateWith(keys, { logger, trustedProxies });
    const plugins = await loadPlugins(configuration, folder, logger);
    service.serve(readSide.routes, authenticate, pluginMiddleware(plugins));
    service.takeUpgrades(readSide.upgrade(authenticate));
    const drain = async (): Promise<void> => readSide.drain();
    service.run({ facts: readSide.facts, drain, stop: drain });
  },
});
