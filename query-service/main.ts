import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  configurationVariables,
  logVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { createPostgresWakeUps } from '@workledger/shared/read-models/postgres-wake-ups.ts';
import { checkReadable } from '@workledger/shared/read-models/check-readable.ts';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { checkPool } from '@workledger/shared/service/check-pool.ts';
import { openEventLog } from '@workledger/shared/service/open-event-log.ts';
import { openPool } from '@workledger/shared/service/open-pool.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { createQueryRoutes } from './query-routes.ts';

const POOL_SIZE = 20;

await runService({
  name: 'query-service',
  summary: 'The read side of Workledger: answers queries from the read models, and audits from the event log.',
  variables: { ...serverVariables(8082), ...logVariables, ...configurationVariables },
  dependencies: ['postgresql', 'event-log', 'read-models'],
  start: async (service) => {
    const { environment } = service;
    const { ageingSeconds } = (await loadConfiguration(environment.WORKLEDGER_CONFIG)).configuration;

    const pool = openPool(service, POOL_SIZE);
    await service.dependOn('postgresql', () => checkPool(pool));
    const log = await openEventLog(service);
    await service.dependOn('read-models', () => checkReadable(pool, [taskModel]));

    const wakeUps = createPostgresWakeUps({
      connectionString: environment.DATABASE_URL,
      applicationName: 'workledger query-service wake-ups',
    });
    service.onClose(() => wakeUps.close());
    const keys = createKeyStore(log);
    const artefacts = createPostgresArtefacts(pool);
    service.serve(createQueryRoutes({ pool, log, artefacts, wakeUps, ageingSeconds }), authenticateWith(keys));
  },
});
