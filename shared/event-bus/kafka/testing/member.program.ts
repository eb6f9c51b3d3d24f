// A member of a group that a test may kill. Arguments: one JSON object. Says `handled` with each batch that it has stored.
import pg from 'pg';
import { createLogger } from '../../../telemetry/logger.ts';
import { createKafkaBus } from '../kafka-bus.ts';
import { storingConsumer } from './stored-progress.ts';

const { brokers, topicPrefix, group, databaseUrl } = JSON.parse(process.argv[2] ?? '') as {
  brokers: string[];
  topicPrefix: string;
  group: string;
  databaseUrl: string;
};
const logger = createLogger({ service: 'member', level: 'silent' });
const bus = createKafkaBus({ brokers, clientId: 'member', logger, topicPrefix });
const consumer = storingConsumer(new pg.Pool({ connectionString: databaseUrl, max: 4 }));
await bus.consume(
  { group, topics: ['task'], signal: new AbortController().signal },
  {
    ...consumer,
    handle: async (batch) => {
      const next = await consumer.handle(batch);
      process.stdout.write('handled\n');
      return next;
    },
  },
);
