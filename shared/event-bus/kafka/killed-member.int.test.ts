import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { createFeed } from './testing/feed.ts';
import { createProgress, handledRevisions, storingConsumer } from './testing/stored-progress.ts';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

const program = fileURLToPath(new URL('testing/member.program.ts', import.meta.url));

describeWithKafka('a member that is killed (kill -9)', () => {
  const topicPrefix = `test-${newId()}`;
  let database: TestDatabase;
  let bus: KafkaBus;
  beforeAll(async () => {
    database = await createTestDatabase();
    bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
  });
  afterAll(async () => {
    await bus.close();
    await database.drop();
  });

  it('is replaced by another one, and nothing is lost, doubled or out of order', async () => {
    const group = 'killed-member';
    await createProgress(database.pool, await bus.endOffsets(['task']));
    const settings = { brokers: kafkaBrokers(), topicPrefix, group, databaseUrl: database.url };
    const member = spawn(process.execPath, [...nodeArguments(program), JSON.stringify(settings)]);
    let said = '';
    member.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const feed = createFeed(bus);
    const streams = Array.from({ length: 24 }, () => streamName('task', newId()));
    let rounds = 0;
    const feedAll = async (): Promise<void> => {
      rounds += 1;
      for (const stream of streams) await feed(stream, 2);
    };
    await feedAll();
    await vi.waitUntil(() => said.includes('handled'), { timeout: 30_000 });

    const stopping = new AbortController();
    let handledHere = 0;
    const consumer = storingConsumer(database.pool);
    const consuming = bus.consume(
      { group, topics: ['task'], signal: stopping.signal },
      {
        ...consumer,
        handle: (batch) => {
          handledHere += 1;
          return consumer.handle(batch);
        },
      },
    );
    const feedUntil = async (condition: () => boolean): Promise<void> => {
      for (let times = 0; !condition() && times < 100; times++) await feedAll();
    };
    await feedUntil(() => handledHere > 0);
    const before = said.length;
    await feedUntil(() => said.length > before);
    member.kill('SIGKILL');
    await once(member, 'exit');
    await feedAll();

    const whole = Array.from({ length: 2 * rounds }, (_, revision) => revision);
    await vi.waitUntil(
      async () => [...(await handledRevisions(database.pool)).values()].flat().length >= streams.length * whole.length,
      { timeout: 30_000, interval: 200 },
    );
    stopping.abort();
    await consuming;
    const handled = await handledRevisions(database.pool);
    for (const stream of streams) expect(handled.get(stream)).toEqual(whole);
  });
});
