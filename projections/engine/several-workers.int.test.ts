import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { silent, untilHolds } from '../testing/engine.ts';
import { startKafkaWorker, type KafkaWorker } from '../testing/kafka-worker.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { differingRows, rebuild } from './rebuild.ts';
import { runProjections } from './run-projections.ts';

const LAST = 9;

describeWithKafka('several workers over a real broker', () => {
  let database: TestDatabase;
  let log: EventLog;
  let bus: KafkaBus;
  let topicPrefix: string;
  let stopRelay: () => Promise<void>;
  let workers: KafkaWorker[];
  beforeEach(async () => {
    database = await createTestDatabase();
    log = await createPostgresEventLog({ connectionString: database.url });
    await migrateReadModels(database.url);
    topicPrefix = `test-${newId()}`;
    bus = openBus(topicPrefix);
    stopRelay = relay(bus);
    workers = [];
  });
  afterEach(async () => {
    await Promise.all(workers.map(({ kill }) => kill()));
    await stopRelay();
    await bus.close();
    await log.close();
    await database.drop();
  });

  const openBus = (prefix: string): KafkaBus =>
    createKafkaBus({
      brokers: kafkaBrokers(),
      clientId: 'test',
      logger: captureLog().logger,
      topicPrefix: prefix,
    });

  /** Publishes what is appended from now on. */
  function relay(to: KafkaBus): () => Promise<void> {
    const stopping = new AbortController();
    const done = (async () => {
      const after = await log.head();
      for await (const { events } of log.subscribe({ after, signal: stopping.signal })) await to.publish(events);
    })();
    return () => {
      stopping.abort();
      return done;
    };
  }

  const start = (freezeAt?: string): KafkaWorker => {
    const given = { brokers: kafkaBrokers(), topicPrefix, databaseUrl: database.url };
    const worker = startKafkaWorker(freezeAt === undefined ? given : { ...given, freezeAt });
    workers.push(worker);
    return worker;
  };

  async function appendStreams(count: number): Promise<void> {
    const write = async (): Promise<void> => {
      const stream = streamName('task', newId());
      const metadata = { correlationId: newId(), causationId: null, commandHash: '0', actor: 'system' };
      const events = [createdTask({}), ...Array.from({ length: LAST }, (_, number) => retitled(`title ${number}`))];
      for (const [index, event] of events.entries()) {
        const encoded = encode(stream, [event], { ...metadata, commandId: newId(), traceparent: null });
        await log.append(stream, encoded, index === 0 ? 'none' : index - 1);
      }
    };
    await Promise.all(Array.from({ length: count }, write));
  }

  const whole = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ whole: number }>(
      'select count(*)::integer as whole from read_models.streams where revision = $1 and parked_at is null',
      [LAST],
    );
    return rows[0]?.whole ?? 0;
  };
  const untilFollowing = (): Promise<void> =>
    untilHolds(async () => {
      const { rowCount } = await database.pool.query("select from read_models.progress where topic = 'task'");
      expect(rowCount).toBe(12);
    });

  async function expectTheLogFolded(): Promise<void> {
    const events = log.readAll({ streams: ['task'] });
    await rebuild({ projection: tasks, pool: database.pool, schema: 'again', events });
    expect(await differingRows(database.pool, tasks, 'again')).toEqual([]);
  }

  it('share the partitions, and go on when one is killed in the middle', async () => {
    const [first, second] = [start(), start()];
    await untilFollowing();
    // Until both have joined the group, one has all partitions.
    for (let streams = 0; first.said('applied') === 0 || second.said('applied') === 0; streams++) {
      expect(streams).toBeLessThan(200);
      await appendStreams(10);
    }
    const before = await appended();
    const writing = appendStreams(300);
    await untilHolds(async () => expect(await whole()).toBeGreaterThan(before));
    await first.kill();
    await writing;
    await untilHolds(async () => expect(await whole()).toBe(await appended()), 40_000);
    await expectTheLogFolded();
  });

  const appended = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ count: number }>(
      'select count(distinct stream)::integer as count from event_log.events',
    );
    return rows[0]?.count ?? 0;
  };

  it('one that stands still and wakes after its partitions moved writes nothing', async () => {
    const sleeper = start(`title ${LAST - 1}`);
    await untilFollowing();
    await appendStreams(40);
    await untilHolds(() => Promise.resolve(expect(stateOf(sleeper.pid)).toBe('T')));
    start();
    await untilHolds(async () => expect(await whole()).toBe(40), 40_000);
    const written = await everything();
    process.kill(sleeper.pid, 'SIGCONT');
    await untilHolds(() => Promise.resolve(expect(sleeper.said('stale batch dropped')).toBeGreaterThan(0)));
    expect(await everything()).toEqual(written);
    await expectTheLogFolded();
  });

  /** All that projections have written: rows, how far each stream and each partition came. */
  const everything = async (): Promise<unknown[]> => {
    const tables = ['tasks_v1', 'streams', 'progress'];
    const all = tables.map((table) =>
      database.pool.query(`select to_jsonb(t) as row from read_models.${table} t order by 1`),
    );
    return (await Promise.all(all)).map(({ rows }) => rows as unknown);
  };

  it('catch up from the log when the topics were made anew, even when both meet it at once', async () => {
    const follow = (buses: readonly KafkaBus[]): (() => Promise<void>) => {
      const stopping = new AbortController();
      const { pool } = database;
      const running = buses.map((own) =>
        runProjections({ projections: [tasks], log, bus: own, pool, signal: stopping.signal, logger: silent }),
      );
      return async () => {
        stopping.abort();
        await Promise.all(running);
      };
    };
    const stop = follow([bus]);
    await untilFollowing();
    await appendStreams(40);
    await untilHolds(async () => expect(await whole()).toBe(40));
    await stop();
    await stopRelay();
    await appendStreams(20);

    const again = [openBus(`${topicPrefix}-again`), openBus(`${topicPrefix}-again`)];
    const stopAgain = follow(again);
    stopRelay = relay(again[0]!);
    await untilHolds(async () => expect(await whole()).toBe(60), 40_000);
    await appendStreams(20);
    await untilHolds(async () => expect(await whole()).toBe(80), 40_000);
    await stopAgain();
    await expectTheLogFolded();
    await stopRelay();
    stopRelay = () => Promise.resolve();
    await Promise.all(again.map((own) => own.close()));
  });
});

/** T: it stands still. */
const stateOf = (pid: number): string | undefined => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
