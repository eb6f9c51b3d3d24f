import pg from 'pg';
import { isUnavailable } from './outages/signs.ts';
import type { Outages } from './outages/outages.ts';

/** A server that does not take a connection in this time is away. Milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/** What a query may take on which a request waits: its caller is told in time that the server is away. Milliseconds. */
export const ANSWER_TIMEOUT = 5_000;

/** What a query may take on which nobody waits. Milliseconds. */
export const WORK_TIMEOUT = 30_000;

/** A transaction that somebody forgot would hold back the cleaning of all tables. Milliseconds. */
const IDLE_IN_TRANSACTION = 60_000;

/**
 * What the statements of this program rely on. It is said for each connection: what is set for a role or a database comes second.
 * Only what every supported server knows.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  synchronous_commit: 'on',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION),
  idle_session_timeout: '0',
  search_path: 'public',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
};

export type DatabaseConnectionOptions = {
  readonly connectionString: string;
  /** How the connection is named in `pg_stat_activity`. */
  readonly applicationName: string;
  /**
   * Milliseconds that a statement may take, after which the server ends it; should the server have frozen, it is given up a
   * little later. null: as long as it takes, for work that may be long, such as a migration.
   */
  readonly queryTimeout: number | null;
};

/**
 * How every connection to PostgreSQL is made. Nobody waits for ever for a host that went silent; in a pool the limit of
 * connecting is also that of the wait for a free connection.
 */
export function databaseConnection({ connectionString, applicationName, queryTimeout }: DatabaseConnectionOptions) {
  const { url, options } = withoutOptions(connectionString);
  const settings = { ...SETTINGS, statement_timeout: String(queryTimeout === null ? 0 : serverTimeout(queryTimeout)) };
  return {
    connectionString: url,
    application_name: applicationName,
    // With the first packet: no round trip more, and stronger than `alter role … set`.
    options: [...options, ...Object.entries(settings).map(([name, value]) => `-c ${name}=${escaped(value)}`)].join(' '),
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(queryTimeout !== null && { query_timeout: queryTimeout }),
  };
}

/** A server that works answers before its client gives the connection up. */
const serverTimeout = (queryTimeout: number): number => Math.ceil(queryTimeout * 0.9);

const escaped = (value: string): string => value.replaceAll(/[\\ ]/g, '\\$&');

/** `options` of the URL come before ours; pg would have them replace ours. */
function withoutOptions(connectionString: string): { readonly url: string; readonly options: readonly string[] } {
  if (!URL.canParse(connectionString)) return { url: connectionString, options: [] };
  const url = new URL(connectionString);
  const options = url.searchParams.getAll('options');
  if (options.length === 0) return { url: connectionString, options };
  url.searchParams.delete('options');
  return { url: url.toString(), options };
}

export type DatabasePoolOptions = Omit<DatabaseConnectionOptions, 'queryTimeout'> & {
  /** Connections at most. */
  readonly max: number;
  /** Milliseconds, or null: default WORK_TIMEOUT. */
  readonly queryTimeout?: number | null;
  /** Takes note, as `postgresql`, of how the server answers the pool's queries. */
  readonly outages?: Outages | undefined;
  /** Told when a connection is lost; the pool opens a new one at the next query. */
  readonly onLost?: (error: Error) => void;
};

/** A pool whose lost connections never end the process: whoever waits for an answer gets the error. */
export function createDatabasePool(options: DatabasePoolOptions): pg.Pool {
  const { max, queryTimeout = WORK_TIMEOUT, outages, onLost } = options;
  const pool = new pg.Pool({ ...databaseConnection({ ...options, queryTimeout }), max });
  const lost = onLost ?? (() => undefined);
  // An idle client's loss is told by the client, too.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', lost));
  growWhereWaitedFor(pool, max);
  return outages === undefined ? pool : watched(pool, outages);
}

/** A pool has this many connections before anybody waits for one. */
const FIRST_CONNECTIONS = 4;
/** While somebody waits, one connection more after so long. */
const GROWTH_MILLISECONDS = 50;

/**
 * To open a connection costs the server as much as ten small queries, and each begins without knowing a table: where fifty who ask at
 * once, as at a start, would open one each, they share a few that are free again in a millisecond. Whoever waits longer than that
 * has the pool grow up to its size; what is closed because it was idle makes it small again.
 */
function growWhereWaitedFor(pool: pg.Pool, most: number): void {
  const connect = pool.connect.bind(pool);
  const { options } = pool;
  options.max = Math.min(FIRST_CONNECTIONS, most);
  let timer: NodeJS.Timeout | null = null;
  const grow = (): void => {
    timer = null;
    if (pool.waitingCount === 0 || pool.ending) return;
    if (pool.totalCount >= options.max) options.max++;
    // The new connection goes to whoever has waited longest.
    connect().then(
      (client) => client.release(),
      () => undefined,
    );
    watchGrowth();
  };
  const watchGrowth = (): void => {
    if (options.max < most) timer ??= setTimeout(grow, GROWTH_MILLISECONDS);
  };
  pool.on('remove', () => {
    if (pool.waitingCount === 0) options.max = Math.min(options.max, Math.max(FIRST_CONNECTIONS, pool.totalCount));
  });
  pool.connect = ((...parameters: Parameters<typeof connect>) => {
    watchGrowth();
    return connect(...parameters);
  }) as typeof connect;
}

/** Whoever asks the pool itself is heard; who takes a client from it tells by itself. */
function watched(pool: pg.Pool, outages: Outages): pg.Pool {
  const query = pool.query.bind(pool) as (...parameters: unknown[]) => Promise<unknown> | undefined;
  return Object.assign(pool, {
    query: (...parameters: unknown[]) =>
      typeof parameters.at(-1) === 'function'
        ? query(...parameters)
        : outages.watch('postgresql', async () => query(...parameters), isUnavailable),
  });
}
