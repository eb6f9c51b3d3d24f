import type { Pool } from 'pg';
import { createDatabasePool } from '../resilience/database-pool.ts';
import type { Service } from './run-service.ts';
import { tellLost } from './tell.ts';

type Needed = Pick<Service<never>, 'name' | 'logger' | 'closing' | 'onClose'> & {
  readonly environment: { readonly DATABASE_URL: string };
};

/** A pool on the service's database; closed with the service. It opens connections as they are needed: the server may be away. */
export function openPool({ name, environment, logger, closing, onClose }: Needed, max: number): Pool {
  const pool = createDatabasePool({
    connectionString: environment.DATABASE_URL,
    max,
    applicationName: `workledger ${name}`,
    onLost: tellLost(logger, closing),
  });
  onClose(() => pool.end());
  return pool;
}
