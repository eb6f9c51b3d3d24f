import { expect, it, vi } from 'vitest';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { loseTopics } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { silent, untilHolds } from '../testing/engine.ts';
import { createdTask } from '@workledger/infra/testing/events/task-events.ts';
import { runProjections } from './run-projections.ts';

vi.setConfig({ testTimeout: 120_000 });
const metadata = () => ({
  correlationId: newId(),
  causationId: null,
  commandId: newId(),
  commandHash: '0',
  actor: 'system',
  traceparent: null,
});

describeWithKafka('a projection whose topics were made anew while it was down', () => {
  it('misses nothing, though its offsets are in range again', async () => {
    const database = await createTestDatabase();
    const log = await createPostgresEventLog({ connectionString: database.url });
    await migrateReadModels(database.url);
    const topicPrefix = `projection-${newId()}`;
    const { logger } = captureLog();
    const bus = createKafkaBus({
      brokers: kafkaBrokers(),
      clientId: 'test',
      topicPrefix,
      logger,
      publishTimeout: 3_000,
    });
    /** New tasks, in the log and on the bus. */
    const publish = async (count: number): Promise<void> => {
      const after = await log.head();
      for (let index = 0; index < count; index++) {
        const stream = streamName('task', newId());
        await log.append(stream, encode(stream, [createdTask({})], metadata()), 'none');
      }
      const events: RecordedEvent[] = [];
      for await (const event of log.readAll({ after })) events.push(event);
      await vi.waitUntil(
        () =>
          bus.publish(events).then(
            () => true,
            () => false,
          ),
        { timeout: 60_000 },
      );
    };
    const whileRunning = async (tasksThen: number): Promise<void> => {
      const abort = new AbortController();
      const { pool } = database;
      const running = runProjections({ projections: [tasks], log, bus, pool, signal: abort.signal, logger: silent });
      await untilHolds(async () => {
        const { rows } = await pool.query<{ count: number }>(
          'select count(*)::integer as count from read_models.tasks_v1',
        );
        expect(rows[0]?.count).toBe(tasksThen);
      }, 60_000).finally(() => abort.abort());
      await running;
    };
    await publish(30);
    await whileRunning(30);
    await loseTopics(kafkaBrokers(), topicPrefix);
    await publish(60);
    await whileRunning(90);
    await bus.close();
    await log.close();
    await database.drop();
  });
});
