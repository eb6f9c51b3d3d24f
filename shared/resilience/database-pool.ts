import pg from 'pg';

export type DatabasePoolOptions = {
  readonly connectionString: string;
  /** Connections at most. */
  readonly max: number;
  /** How the connections are named in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Told when a connection is lost; the pool opens a new one at the next query. */
  readonly onLost?: (error: Error) => void;
};

/** A pool whose lost connections never end the process: whoever waits for an answer gets the error. */
export function createDatabasePool({ connectionString, max, applicationName, onLost }: DatabasePoolOptions): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, application_name: applicationName });
  const lost = onLost ?? (() => undefined);
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', lost));
  return pool;
}
