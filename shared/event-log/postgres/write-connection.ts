import pg from 'pg';
import { ANSWER_TIMEOUT, databaseConnection } from '../../resilience/database-pool.ts';
import { isUnavailable } from '../../resilience/outages/signs.ts';
import type { Outages } from '../../resilience/outages/outages.ts';

export type WriteConnection = {
  /** Runs a prepared statement. The connection is opened when needed; after a loss, the next call opens another. */
  run<Row extends pg.QueryResultRow>(
    statement: { name: string; text: string },
    values: unknown[],
  ): Promise<Row | undefined>;
  /** Gives the connection up, so that the next call opens another. */
  discard(): void;
  close(): Promise<void>;
};

/** The one connection over which a process appends. */
export function openWriteConnection(
  connectionString: string,
  applicationName: string,
  outages?: Outages,
): WriteConnection {
  let current: pg.Client | null = null;

  const discard = (): void => {
    const client = current;
    current = null;
    client?.end().catch(() => undefined);
  };

  const connect = async (): Promise<pg.Client> => {
    if (current !== null) return current;
    const client = new pg.Client(
      databaseConnection({ connectionString, applicationName, queryTimeout: ANSWER_TIMEOUT }),
    );
    const forget = (): void => {
      if (current === client) current = null;
    };
    client.on('error', forget);
    client.on('end', forget);
    try {
      await client.connect();
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    current = client;
    return client;
  };

  return {
    run: async <Row extends pg.QueryResultRow>(statement: { name: string; text: string }, values: unknown[]) => {
      const ask = async (): Promise<Row | undefined> => {
        const client = await connect();
        return (await client.query<Row>({ ...statement, values })).rows[0];
      };
      return outages === undefined ? ask() : outages.watch('postgresql', ask, isUnavailable);
    },
    discard,
    close: async () => {
      const client = current;
      current = null;
      await client?.end();
    },
  };
}
