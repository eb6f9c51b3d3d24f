import { busVariables, logVariables, serverVariables } from '@workledger/shared/config/service-environment.ts';
import { openEventBus, openEventLog, openPool, openTables } from '@workledger/shared/service/open.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { migrations, start } from './start.ts';

const POOL_SIZE = 4;
/** All queries are short; what takes longer than the lease is of no use. Milliseconds. */
const QUERY_TIMEOUT = 2_500;

void runService({
  name: 'relay',
  summary: 'Carries the event log to Kafka, in order. Of all relays one leads; the others stand by.',
  variables: { ...serverVariables(8083), ...logVariables, ...busVariables },
  dependencies: ['postgresql', 'event-log', 'kafka'],
  start: async (service) => {
    const { logger, outages } = service;
    const pool = openPool(service, POOL_SIZE, QUERY_TIMEOUT);
    await openTables(service, pool, migrations);
    const log = await openEventLog(service);
    const bus = await openEventBus(service);
    service.run(start({ log, bus, pool, logger, outages }));
  },
});
