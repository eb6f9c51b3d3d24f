import { createLive } from '@workledger/shared/config/live.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  busVariables,
  configurationVariables,
  logVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import {
  followLive,
  openEventBus,
  openEventLog,
  openPool,
  openTables,
  openWakeUps,
  tellLag,
} from '@workledger/shared/service/open.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { migrations, start } from './start.ts';

const POOL_SIZE = 12;

void runService({
  name: 'projections',
  summary: 'Keeps the read models up to date from Kafka. Any number of these share the partitions.',
  variables: { ...serverVariables(8084), ...logVariables, ...busVariables, ...configurationVariables },
  dependencies: ['postgresql', 'event-log', 'kafka'],
  start: async (service) => {
    const { environment, logger, outages } = service;
    const loaded = await loadConfiguration(environment.WORKLEDGER_CONFIG);
    const { folder } = loaded;
    const live = createLive(loaded);
    const configuration = live.view('projections');
    // Catching up takes what it takes.
    const pool = openPool(service, POOL_SIZE, null);
    await openTables(service, pool, migrations);
    const log = await openEventLog(service);
    await followLive(service, live, log);
    const bus = await openEventBus(service);
    const wakeUps = openWakeUps(service);
    tellLag(service, bus);
    service.run(start({ log, bus, pool, wakeUps, logger, outages, configuration, folder }));
  },
});
