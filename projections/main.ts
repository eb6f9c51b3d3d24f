import { busVariables, logVariables, serverVariables } from '@workledger/shared/config/service-environment.ts';
import { watchLag } from '@workledger/shared/event-bus/kafka/watch-lag.ts';
import { createPostgresWakeUps } from '@workledger/shared/read-models/postgres-wake-ups.ts';
import { checkPool } from '@workledger/shared/service/check-pool.ts';
import { openEventBus } from '@workledger/shared/service/open-event-bus.ts';
import { openEventLog } from '@workledger/shared/service/open-event-log.ts';
import { openPool } from '@workledger/shared/service/open-pool.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { runReadModels } from './all.ts';
import { migrateReadModels } from './migrations.ts';

const POOL_SIZE = 12;

await runService({
  name: 'projections',
  summary: 'Keeps the read models up to date from Kafka. Any number of these share the partitions.',
  variables: { ...serverVariables(8084), ...logVariables, ...busVariables },
  dependencies: ['postgresql', 'event-log', 'kafka'],
  start: async (service) => {
    const { environment, logger, outages } = service;

    // Catching up takes what it takes.
    const pool = openPool(service, POOL_SIZE, null);
    await service.dependOn(
      'postgresql',
      () => migrateReadModels(environment.DATABASE_URL),
      () => checkPool(pool),
    );
    const log = await openEventLog(service);
    const bus = await openEventBus(service);

    const wakeUps = createPostgresWakeUps({
      connectionString: environment.DATABASE_URL,
      applicationName: 'workledger projections wake-ups',
    });
    service.onClose(() => wakeUps.close());
    const stopping = new AbortController();
    let problem: string | null = null;
    const projections = runReadModels({
      log,
      bus,
      pool,
      logger,
      outages,
      onApplied: wakeUps.wake,
      onProblem: (told) => (problem = told),
      signal: stopping.signal,
    });
    const lag = watchLag(bus, stopping.signal);
    service.tell(() => ({ lag: lag(), ...(problem !== null && { problem }) }));
    service.run(projections);
    service.onClose(() => {
      stopping.abort();
      return projections;
    }, 'the projections');
  },
});
