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
