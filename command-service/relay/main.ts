import { busVariables, logVariables, serverVariables } from '@workledger/shared/config/service-environment.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { openEventBus } from '@workledger/shared/service/open-event-bus.ts';
import { openEventLog } from '@workledger/shared/service/open-event-log.ts';
import { openPool } from '@workledger/shared/service/open-pool.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { relayMigrations } from './migrations.ts';
import { runRelay } from './run-relay.ts';

const POOL_SIZE = 4;

await runService({
  name: 'relay',
  summary: 'Carries the event log to Kafka, in order. Of all relays one leads; the others stand by.',
  variables: { ...serverVariables(8083), ...logVariables, ...busVariables },
  dependencies: ['postgresql', 'event-log', 'kafka'],
  start: async (service) => {
    const { environment, logger } = service;

    const pool = openPool(service, POOL_SIZE);
    await service.dependOn(
      'postgresql',
      () => migrate(environment.DATABASE_URL, 'relay', relayMigrations),
      () => pool.query('select 1'),
    );
    const log = await openEventLog(service);
    const bus = await openEventBus(service);

    const stopping = new AbortController();
    const relay = runRelay({
      log,
      bus,
      pool,
      logger,
      signal: stopping.signal,
      onState: ({ checkpoint, ...state }) => service.tell(() => ({ ...state, checkpoint: String(checkpoint) })),
    });
    service.run(relay);
    service.onClose(() => {
      stopping.abort();
      return relay;
    });
  },
});
