import type { Pool } from 'pg';
import { ANSWER_TIMEOUT } from '../resilience/database-connection.ts';
import { createDatabasePool } from '../resilience/database-pool.ts';
import type { Service } from './run-service.ts';
import { tellLost } from './tell.ts';

type Needed = Pick<Service<never>, 'name' | 'logger' | 'outages' | 'closing' | 'onClose'> & {
  readonly environment: { readonly DATABASE_URL: string };
};

/**
 * A pool on the service's database; closed with the service. It opens connections as they are needed: the server may be away.
 * @param queryTimeout milliseconds that a query may take; null: as long as it takes
 */
export function openPool(service: Needed, max: number, queryTimeout: number | null = ANSWER_TIMEOUT): Pool {
  const { name, environment, logger, outages, closing, onClose } = service;
  const pool = createDatabasePool({
    connectionString: environment.DATABASE_URL,
    max,
    applicationName: `workledger ${name}`,
    ...(queryTimeout !== null && { queryTimeout }),
    outages,
    onLost: tellLost(logger, closing),
  });
  onClose(() => pool.end(), 'the connections to PostgreSQL');
  return pool;
}
