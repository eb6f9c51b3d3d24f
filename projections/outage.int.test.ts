import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { startProxy, type Proxy } from '@workledger/infra/testing/servers/database-proxy.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { createdTask } from '@workledger/infra/testing/events/task-events.ts';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

describeWithKafka('a projections process', () => {
  let database: TestDatabase;
  let proxy: Proxy;
  let log: EventLog;
  let bus: KafkaBus;
  let service: ChildProcess;
  let url: string;
  let lines: Record<string, unknown>[];
  let published = 0n;
  beforeEach(async () => {
    database = await createTestDatabase();
    proxy = await startProxy(database.url);
    log = await createPostgresEventLog({ connectionString: database.url });
    const topicPrefix = `outage-${newId()}`;
    bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
    published = await log.head();
    lines = [];
    service = spawn(process.execPath, nodeArguments(fileURLToPath(new URL('main.ts', import.meta.url))), {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: proxy.url,
        KAFKA_BROKERS: kafkaBrokers().join(','),
        KAFKA_TOPIC_PREFIX: topicPrefix,
        HOST: '127.0.0.1',
        PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface(service.stdout!).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
    await untilTrue(() => lines.some(({ msg }) => msg === 'started'));
    url = String(lines.find(({ msg }) => msg === 'listening')?.['url']);
    await write(24);
    await untilTrue(async () => (await seen()) === 24);
  });
  afterEach(async () => {
    service.kill('SIGKILL');
    proxy.thaw();
    await proxy.close();
    await bus.close();
    await log.close();
    await database.drop();
  });

  /** So many tasks, spread over the partitions. */
  async function write(count: number): Promise<void> {
    const metadata = {
      correlationId: newId(),
      causationId: null,
      commandHash: '0',
      actor: 'system',
      traceparent: null,
    };
    for (let number = 0; number < count; number++) {
      const stream = streamName('task', newId());
      await log.append(stream, encode(stream, [createdTask({})], { ...metadata, commandId: newId() }), 'none');
    }
    const head = await log.head();
    const events = [];
    for await (const event of log.readAll({ after: published, until: head })) events.push(event);
    await bus.publish(events);
    published = head;
  }
  const seen = async (): Promise<number> =>
    (await database.pool.query<{ seen: number }>('select count(*)::integer as seen from read_models.tasks')).rows[0]!
      .seen;

  it('says once that PostgreSQL is away, and once that it is back, whatever waits for it', async () => {
    const before = lines.length;
    await proxy.shut();
    await write(60);
    for (let second = 0; second < 10; second++) {
      expect((await fetch(`${url}/health`)).status).toBe(503);
      await pause(1_000);
    }
    await proxy.open();
    await untilTrue(async () => (await seen()) === 84 && (await fetch(`${url}/health`)).status === 200);
    expect(lines.slice(before).map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'postgresql is away: waiting for it'],
      ['info', 'postgresql is back'],
    ]);
  });

  it('ends when it is asked to, though PostgreSQL is frozen in the middle of its work', async () => {
    const exited = once(service, 'exit');
    proxy.freeze();
    await write(60);
    await pause(2_000);
    service.kill('SIGTERM');
    const [code, signal] = (await exited) as [number | null, string | null];
    expect(signal).toBeNull();
    expect(code).toBe(1);
  });
});
