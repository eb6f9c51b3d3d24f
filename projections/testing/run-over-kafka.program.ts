// A projection worker of its own over Kafka, until it is killed. Argument: one JSON object. Says `applied` after each batch that
// it wrote, and what its engine logs. Where a title is `freezeAt`, it stops itself in the middle of a batch, read but not written.
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import type { Projection } from '../engine/projection.ts';
import { runProjections } from '../engine/run-projections.ts';
import { tasks } from '../tasks/projection.ts';

const { brokers, topicPrefix, databaseUrl, freezeAt } = JSON.parse(process.argv[2] ?? '') as {
  brokers: string[];
  topicPrefix: string;
  databaseUrl: string;
  freezeAt?: string;
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
let frozen = false;
const projection: Projection = {
  ...tasks,
  fold: (row, event, id) => {
    const { title } = event.data as { title?: string };
    if (freezeAt !== undefined && title === freezeAt && !frozen) {
      frozen = true;
      process.kill(process.pid, 'SIGSTOP');
    }
    return tasks.fold(row, event, id);
  },
};
await runProjections({
  projections: [projection],
  log: await createPostgresEventLog({ connectionString: databaseUrl }),
  bus: createKafkaBus({
    brokers,
    topicPrefix,
    clientId: 'projections',
    logger: createLogger({ service: 'worker', level: 'silent' }),
  }),
  pool: createDatabasePool({ connectionString: databaseUrl, max: 8, applicationName: 'worker' }),
  signal: new AbortController().signal,
  logger: { info: (_, message) => say(message), error: (_, message) => say(message) },
  onApplied: () => say('applied'),
});
