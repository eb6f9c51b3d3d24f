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

/** What a query that answers requests may take, at most. Milliseconds. */
export const QUERY_TIMEOUT = 30_000;
