import type { Pool } from 'pg';
import { kafkaAccess } from '../config/server-access.ts';
import type { Environment, busVariables } from '../config/service-environment.ts';
import type { Live } from '../config/live.ts';
import type { ReadModel } from '../contexts/define-row.ts';
import type { InProcessBusOptions } from '../event-bus/in-process/in-process-bus.ts';
import { createKafkaBus, type KafkaBus } from '../event-bus/kafka/kafka-bus.ts';
import type { EventLog } from '../event-log/port.ts';
import { FromTheFuture } from '../events/codec.ts';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import { migrateAll, type SqlSchema } from '../migrations/migrate.ts';
import { createPostgresWakeUps } from '../resilience/notifier.ts';
import { ANSWER_TIMEOUT, createDatabasePool } from '../resilience/database-pool.ts';
import type { Outages } from '../resilience/outages/outages.ts';
import { pause } from '../resilience/pause.ts';
import type { WakeUps } from '../resilience/wake-ups.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Service } from './run-service.ts';
import { runLoops, type Host } from './service.ts';

/** Beside PostgreSQL: where EVENTSTOREDB_URL is not set, the event log is there, too. */
type OnPostgres = Host & {
  readonly environment: { readonly DATABASE_URL: string; readonly EVENTSTOREDB_URL?: string | undefined };
};

/**
 * A pool on the database; closed with the process. It opens connections as they are needed: the server may be away.
 * @param queryTimeout milliseconds that a query may take; null: as long as it takes
 */
export function openPool(host: OnPostgres, max: number, queryTimeout: number | null = ANSWER_TIMEOUT): Pool {
  const { name, environment, logger, outages, closing, onClose } = host;
  const pool = createDatabasePool({
    connectionString: environment.DATABASE_URL,
    max,
    applicationName: `workledger ${name}`,
    queryTimeout,
    outages,
    onLost: tellLost(logger, closing),
  });
  onClose(() => pool.end(), 'the connections to PostgreSQL');
  return pool;
}

/** Brings tables up to date, as dependency `postgresql`. */
export const openTables = (host: OnPostgres, pool: Pool, schemas: readonly SqlSchema[]): Promise<void> =>
  host.dependOn(
    'postgresql',
    async () => {
      await migrateAll(host.environment.DATABASE_URL, schemas);
      await checkPool(pool);
    },
    () => checkPool(pool),
  );

/** In time for an answer of /health. Milliseconds. */
const CHECK_TIMEOUT = 1_500;

/** @throws Error when the database does not answer at once */
export async function checkPool(pool: Pool): Promise<void> {
  const question = { text: 'select 1', query_timeout: CHECK_TIMEOUT };
  await pool.query(question);
}

/** Waits for the tables of these read models, as dependency `read-models`: projections make them when they first start. */
export const untilReadable = (host: Host, pool: Pool, models: readonly Pick<ReadModel, 'table'>[]): Promise<void> =>
  host.dependOn('read-models', async () => {
    for (const { table } of models) await pool.query(`select from read_models.${table} limit 0`);
  });

/** The event log of the environment, as dependency `event-log`: EventStoreDB, or PostgreSQL where EVENTSTOREDB_URL is not set. */
export function openEventLog(host: OnPostgres): Promise<EventLog> {
  const { EVENTSTOREDB_URL } = host.environment;
  return EVENTSTOREDB_URL === undefined ? inPostgres(host) : inEventStoreDb(host, EVENTSTOREDB_URL);
}

/** Its tables are made when it is opened: the server must be there. */
async function inPostgres({ name, environment, outages, dependOn, onClose }: OnPostgres): Promise<EventLog> {
  outages.join('event-log', 'postgresql');
  const open = (): Promise<EventLog> =>
    createPostgresEventLog({
      connectionString: environment.DATABASE_URL,
      applicationName: `workledger ${name} event log`,
      outages,
    });
  const log = await dependOn('event-log', open, (opened) => opened.head());
  onClose(() => log.close(), 'the event log');
  return log;
}

async function inEventStoreDb({ outages, dependOn, onClose }: Host, connectionString: string): Promise<EventLog> {
  // Its client is the largest of all packages: only who uses it loads it.
  const { createEventStoreDbLog } = await import('../event-log/eventstoredb/event-log.ts');
  const log = await createEventStoreDbLog({
    connectionString,
    onError: (error) => outages.of('event-log').failed(null, error),
  });
  onClose(() => log.close(), 'the event log');
  await dependOn('event-log', () => log.head());
  return log;
}

type OnKafka = Host & { readonly environment: Environment<typeof busVariables> };

/** The event bus of the environment, as dependency `kafka`; topics that are missing are made. */
export async function openEventBus(host: OnKafka): Promise<KafkaBus> {
  const { name, environment, logger, outages, dependOn, onClose } = host;
  const bus = createKafkaBus({
    brokers: environment.KAFKA_BROKERS,
    access: kafkaAccess(environment),
    topicPrefix: environment.KAFKA_TOPIC_PREFIX,
    replicationFactor: environment.KAFKA_REPLICATION_FACTOR,
    clientId: `workledger-${name}`,
    onError: tellConsumeError(logger, outages),
    logger,
    outages,
  });
  onClose(() => bus.close(), 'the event bus');
  await dependOn(
    'kafka',
    () => bus.ensureTopics(),
    () => bus.check(),
  );
  return bus;
}

/** Milliseconds between two looks at the lag. */
const LAG_INTERVAL = 5_000;

/**
 * Tells the lag in /health, by group: events that wait in the partitions that this process holds; null while Kafka is away. It is
 * looked at now and then, in the background.
 */
export function tellLag({ closing, tell }: Pick<Service<never>, 'closing' | 'tell'>, bus: KafkaBus): void {
  let lag: Readonly<Record<string, number | null>> = {};
  const look = async (): Promise<void> => {
    const lags = bus.groups().map(async (group) => {
      const waiting = await bus.lag(group).then(
        (partitions) => Number([...partitions.values()].reduce((sum, behind) => sum + behind, 0n)),
        () => null,
      );
      return [group, waiting] as const;
    });
    lag = Object.fromEntries(await Promise.all(lags));
  };
  const keepLooking = async (): Promise<void> => {
    for (; !closing.aborted; await pause(LAG_INTERVAL, closing)) await look();
  };
  void keepLooking();
  tell(() => ({ lag }));
}

/** Reads what the API has set over the file, and looks for more until the process ends; /health tells by which revision it goes. */
export async function followLive(
  { patiently, tell, run, outages }: Pick<Service<never>, 'patiently' | 'tell' | 'run' | 'outages'>,
  live: Live,
  log: EventLog,
): Promise<void> {
  tell(live.facts);
  await patiently('event-log', () => live.open(log));
  run(runLoops((signal) => [live.run({ signal, outages })]));
}

/** Wake-ups between projections and queries in other processes. */
export function openWakeUps({ name, environment, onClose }: OnPostgres): WakeUps {
  const wakeUps = createPostgresWakeUps({
    connectionString: environment.DATABASE_URL,
    applicationName: `workledger ${name} wake-ups`,
  });
  onClose(() => wakeUps.close());
  return wakeUps;
}

/** Logs what a consumer could not do, unless it is told already: an outage, an event from the future. The bus tries it again. */
export const tellConsumeError =
  (logger: Logger, outages: Outages): NonNullable<InProcessBusOptions['onError']> =>
  ({ group, partition, attempt, error }) =>
    logger[outages.isTold(error) || error instanceof FromTheFuture ? 'debug' : 'warn'](
      { err: error, group, partition, attempt },
      'events could not be handled: trying again',
    );

/**
 * Logs, for debugging, that a database connection was lost, unless everything is closing: then connections are meant to end. Who
 * needs the server tells that it is away.
 */
export const tellLost =
  (logger: Logger, closing: AbortSignal) =>
  (error: Error): void => {
    if (!closing.aborted) logger.debug({ err: error }, 'database connection lost');
  };
