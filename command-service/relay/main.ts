import { busVariables, logVariables, serverVariables } from '@workledger/shared/config/service-environment.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { checkPool } from '@workledger/shared/service/check-pool.ts';
import { openEventBus } from '@workledger/shared/service/open-event-bus.ts';
import { openEventLog } from '@workledger/shared/service/open-event-log.ts';
import { openPool } from '@workledger/shared/service/open-pool.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { relayMigrations } from './migrations.ts';
import { runRelay } from './run-relay.ts';

const POOL_SIZE = 4;
/** All queries are short; what takes longer than the lease is of no use. Milliseconds. */
const QUERY_TIMEOUT = 2_500;

await runService({
  name: 'relay',
  summary: 'Carries the event log to Kafka, in order. Of all relays one leads; the others stand by.',
  variables: { ...serverVariables(8083), ...logVariables, ...busVariables },
  dependencies: ['postgresql', 'event-log', 'kafka'],
  start: async (service) => {
    const { environment, logger, outages } = service;

    const pool = openPool(service, POOL_SIZE, QUERY_TIMEOUT);
    await service.dependOn(
      'postgresql',
      () => migrate(environment.DATABASE_URL, 'relay', relayMigrations),
      () => checkPool(pool),
    );
    const log = await openEventLog(service);
    const bus = await openEventBus(service);

    const stopping = new AbortController();
    const relay = runRelay({
      log,
      bus,
      pool,
      logger,
      outages,
      signal: stopping.signal,
      onState: ({ checkpoint, ...state }) => service.tell(() => ({ ...state, checkpoint: String(checkpoint) })),
    });
    service.run(relay);
    service.onClose(() => {
      stopping.abort();
      return relay;
    }, 'the relay');
  },
});
