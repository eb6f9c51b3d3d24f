import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { startCommandService } from '@workledger/command-service/start.ts';
import { runReadModels } from '@workledger/projections/all.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createQueryRoutes } from '@workledger/query-service/query-routes.ts';
import { createComponents } from '@workledger/sagas/components/catalogue.ts';
import { createTaskReader } from '@workledger/sagas/components/environment.ts';
import { sagaMigrations } from '@workledger/sagas/engine/migrations.ts';
import { startSagas } from '@workledger/sagas/start.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createApplication } from '@workledger/shared/http/application.ts';
import { createHealth } from '@workledger/shared/http/health.ts';
import { startServer } from '@workledger/shared/http/server.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { ANSWER_TIMEOUT, WORK_TIMEOUT } from '@workledger/shared/resilience/database-connection.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { rejectionOf } from '@workledger/shared/resilience/rejection-of.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { checkPool } from '@workledger/shared/service/check-pool.ts';
import { type Closers, createClosers } from '@workledger/shared/service/closers.ts';
import { tellConsumeError, tellLost } from '@workledger/shared/service/tell.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { type AdminKey, ensureAdminKey } from './admin-key.ts';
import { startEmbeddedPostgres } from './postgres/embedded-postgres.ts';
import { cannotWrite } from './postgres/home.ts';

export type SystemOptions = {
  readonly configuration: Configuration;
  /** Absolute folder of the configuration file. */
  readonly folder: string;
  /** Absolute data folder. */
  readonly dataFolder: string;
  readonly logger: Logger;
};

export type System = {
  readonly url: string;
  readonly adminKey: AdminKey;
  readonly log: EventLog;
  /** Position of the last event before this start. */
  readonly startedAt: bigint;
  /** Resolves with the reason when it cannot go on: PostgreSQL has ended, or something that must always run. */
  readonly failed: Promise<Error>;
  /** Drains: what was accepted is finished or goes on after the next start. */
  stop(): Promise<void>;
};

const DRAIN_MILLISECONDS = 10_000;
/** Calls in hand; how many programs and git commands really run at once is the components' own limit. */
const CALLS_AT_ONCE = 64;
const POOL_SIZE = 20;
const SAGAS_POOL_SIZE = 24;
/** The projections' own: a read model that catches up leaves all connections of the commands alone. */
const PROJECTIONS_POOL_SIZE = 10;

/** The whole system in one process, on a PostgreSQL of its own. @throws errors with one clear line each, after all is closed */
export async function startSystem(options: SystemOptions): Promise<System> {
  const closers = createClosers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start({ configuration, folder, dataFolder, logger }: SystemOptions, closers: Closers): Promise<System> {
  await mkdir(dataFolder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(dataFolder, error);
  });
  const postgres = await startEmbeddedPostgres({
    folder: join(dataFolder, 'postgres'),
    log: (line) => logger.info({ server: 'postgresql' }, line),
  });
  closers.add(() => postgres.stop());

  await migrate(postgres.url, 'artefacts', artefactMigrations);
  await migrate(postgres.url, 'command_service', commandServiceMigrations);
  await migrateReadModels(postgres.url);
  await migrate(postgres.url, 'sagas', sagaMigrations);

  const outages = createOutages(logger);
  outages.join('event-log', 'postgresql');
  const onLost = tellLost(logger, closers.closing);
  const open = (applicationName: string, max: number, queryTimeout?: number): Pool => {
    const opened = createDatabasePool({
      ...{ connectionString: postgres.url, max, applicationName, outages, onLost },
      ...(queryTimeout !== undefined && { queryTimeout }),
    });
    closers.add(() => opened.end());
    return opened;
  };
  const pool = open('workledger', POOL_SIZE, ANSWER_TIMEOUT);
  const sagasPool = open('workledger sagas', SAGAS_POOL_SIZE, WORK_TIMEOUT);
  const projectionsPool = open('workledger projections', PROJECTIONS_POOL_SIZE);
  const log = await createPostgresEventLog({ connectionString: postgres.url, outages });
  closers.add(() => log.close());
  const startedAt = await log.head();
  const bus = createInProcessBus(log, { onError: tellConsumeError(logger, outages) });
  closers.add(() => bus.close());
  const artefacts = createPostgresArtefacts(pool);
  const wakeUps = createWakeUps();

  const { leaseSeconds, heartbeatSeconds, ageingSeconds } = configuration;
  const commandService = await startCommandService({ log, pool, artefacts, configuration, folder, logger });
  const { commands, keys } = commandService;

  const health = createHealth({
    logger,
    outages,
    checks: {
      'event-log': async () => void (await log.head()),
      postgresql: () => checkPool(pool),
    },
  });
  const routes = [
    ...health.routes,
    ...commandService.routes,
    ...createQueryRoutes({ pool, log, artefacts, wakeUps, ageingSeconds }),
  ];
  const application = createApplication({
    routes,
    authenticate: authenticateWith(keys),
    logger,
    title: 'Workledger',
    version: '1',
  });

  const consuming = new AbortController();
  const projections = runReadModels({
    log,
    bus,
    pool: projectionsPool,
    logger,
    outages,
    onApplied: wakeUps.wake,
    signal: consuming.signal,
  });
  closers.add(() => {
    consuming.abort();
    return projections;
  });
  closers.add(() => commandService.stop());
  const adminKey = await ensureAdminKey(dataFolder, commands, keys);
  const server = await startServer(application, configuration);
  const drain = (): Promise<void> => {
    health.drain();
    return server.stop(DRAIN_MILLISECONDS);
  };
  closers.add(drain);
  const sagas = await startSagas({
    log,
    bus,
    pool: sagasPool,
    commands,
    components: createComponents({ configuration, artefacts, readTask: createTaskReader(log), dataFolder, logger }),
    agents: configuration.agents,
    leaseSeconds,
    heartbeatSeconds,
    callConcurrency: CALLS_AT_ONCE,
    alone: true,
    logger,
    outages,
  });

  closers.add(() => sagas.stop());
  // Once more, so that it comes first: nothing new is accepted while the sagas stop.
  closers.add(drain);

  return {
    url: server.url,
    adminKey,
    log,
    startedAt,
    failed: firstFailure(postgres.died, [sagas.failed, rejectionOf(projections)]),
    stop: () => closers.close(),
  };
}

const LOOK_AGAIN_MILLISECONDS = 1_000;

/**
 * Resolves with why the system cannot go on: PostgreSQL has ended, or what must always run has failed. Who loses its connection
 * may tell before the server's end is seen: that end is the better reason, and is waited for a moment.
 */
async function firstFailure(died: Promise<string>, failures: readonly Promise<unknown>[]): Promise<Error> {
  const ended = died.then(
    (how) => new Error(`PostgreSQL has ended (${how}): start again, nothing that was accepted is lost`),
  );
  const error = await Promise.race([ended, ...failures]);
  const better = await Promise.race([ended, pause(LOOK_AGAIN_MILLISECONDS, null, { ref: false })]);
  return better ?? (error instanceof Error ? error : new Error(String(error)));
}
