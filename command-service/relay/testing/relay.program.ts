import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { runRelay } from '../run-relay.ts';
import { createTableBus } from './relay-process.ts';

// A relay of its own process, named by its process id: <connection string> <lease in ms> <milliseconds a publish takes>.
const [connectionString = '', lease = '', milliseconds = ''] = process.argv.slice(2);
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());

const log = await createPostgresEventLog({ connectionString });
const pool = createDatabasePool({ connectionString, max: 4, applicationName: `relay ${process.pid}` });
await runRelay({
  log,
  bus: createTableBus(pool, Number(milliseconds)),
  pool,
  logger: createLogger({ service: 'relay' }),
  signal: stopping.signal,
  owner: String(process.pid),
  leaseMilliseconds: Number(lease),
});
await log.close();
await pool.end();
