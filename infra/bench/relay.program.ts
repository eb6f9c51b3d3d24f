import { runRelay } from '@workledger/command-service/relay/run-relay.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';

// A relay that may be killed: <connection string> <broker> <topic prefix>. Its process id is its name.
const [connectionString = '', broker = '', topicPrefix = ''] = process.argv.slice(2);
const logger = createLogger({ service: 'relay', level: 'error' });
const log = await createPostgresEventLog({ connectionString });
const bus = createKafkaBus({ brokers: [broker], clientId: 'relay', logger, topicPrefix });
// While it stands by: so that a takeover need not wait for it.
await bus.ensureTopics();
await runRelay({
  log,
  bus,
  pool: createDatabasePool({ connectionString, max: 4, applicationName: 'relay', queryTimeout: null }),
  logger,
  signal: new AbortController().signal,
  owner: String(process.pid),
});
