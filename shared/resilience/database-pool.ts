import pg from 'pg';
import { isUnavailable } from './outages/signs.ts';
import type { Outages } from './outages/outages.ts';

/** A server that does not take a connection in this time is away. Milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/**
 * For every connection to PostgreSQL: nobody waits for ever for a host that went silent. In a pool the first limit is also that
 * of the wait for a free connection.
 */
export const DATABASE_CONNECTION = {
  connectionTimeoutMillis: CONNECT_TIMEOUT,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
} as const;

/** What a query may take on which a request waits: its caller is told in time that the server is away. Milliseconds. */
export const ANSWER_TIMEOUT = 5_000;

/** What a query may take on which nobody waits. Milliseconds. */
export const WORK_TIMEOUT = 30_000;

export type DatabasePoolOptions = {
  readonly connectionString: string;
  /** Connections at most. */
  readonly max: number;
  /** How the connections are named in `pg_stat_activity`. */
  readonly applicationName: string;
  /** A query that takes longer fails, and its connection is given up: for a server that froze. Milliseconds; default: none. */
  readonly queryTimeout?: number;
  /** Takes note, as `postgresql`, of how the server answers the pool's queries. */
  readonly outages?: Outages | undefined;
  /** Told when a connection is lost; the pool opens a new one at the next query. */
  readonly onLost?: (error: Error) => void;
};

/** A pool whose lost connections never end the process: whoever waits for an answer gets the error. */
export function createDatabasePool(options: DatabasePoolOptions): pg.Pool {
  const { connectionString, max, applicationName, queryTimeout, outages, onLost } = options;
  const pool = new pg.Pool({
    ...DATABASE_CONNECTION,
    connectionString,
    max,
    application_name: applicationName,
    ...(queryTimeout !== undefined && { query_timeout: queryTimeout }),
  });
  const lost = onLost ?? (() => undefined);
  // An idle client's loss is told by the client, too.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', lost));
  return outages === undefined ? pool : watched(pool, outages);
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
