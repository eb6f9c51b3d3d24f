// One saga worker as a process: `worker.program.ts <settings as JSON>`. It says `working`, and stops at SIGTERM.
import { once } from 'node:events';
import { createCommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import * as sagas from '@workledger/sagas/start.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import type { WorkerSettings } from './testing.ts';

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const { databaseUrl, brokers, topicPrefix, configuration, dataFolder } = settings;
const { leaseSeconds, heartbeatSeconds, ageingSeconds, repositories } = configuration;
const logger = createLogger({ service: 'sagas', level: 'info' });

const log = await createPostgresEventLog({ connectionString: databaseUrl });
const pool = createDatabasePool({ connectionString: databaseUrl, max: 15, applicationName: 'sagas' });
const bus = createKafkaBus({ brokers, clientId: 'sagas', topicPrefix, logger });
const artefacts = createPostgresArtefacts(pool);
const commands = await createCommandHandlers({
  log,
  pool,
  configuration: { repositories, leaseSeconds, heartbeatSeconds },
  nextTasks: (wanted) => nextTasks(pool, { ...wanted, ageingSeconds }),
});
const running = sagas.start({
  ...{ log, bus, pool, artefacts, commands, logger, outages: createOutages(logger) },
  ...{ configuration, dataFolder, sandbox: null, callConcurrency: 8, alone: false },
});
process.stdout.write('working\n');

await once(process, 'SIGTERM');
await running.stop();
await bus.close();
await log.close();
await pool.end();
process.exit();
