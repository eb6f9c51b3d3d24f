import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { type PartitionedMessage, messageOf } from '@workledger/shared/event-bus/kafka/message.ts';
import { runRelay, type RelayOptions } from '@workledger/command-service/relay/run-relay.ts';
import { relayMigrations } from '@workledger/command-service/relay/migrations.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { newEvent, newStream, inFreshDatabase } from './fresh-database.ts';

/** What one would write by hand: batch after batch of messages that are ready. */
async function bareSend(
  kafka: Kafka,
  topic: string,
): Promise<{ send(batches: readonly PartitionedMessage[][]): Promise<void>; close(): Promise<void> }> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: () => (args) => (args.message as PartitionedMessage).partition,
  });
  await producer.connect();
  return {
    send: async (batches) => {
      for (const messages of batches) await producer.sendBatch({ acks: -1, topicMessages: [{ topic, messages }] });
    },
    close: () => producer.disconnect(),
  };
}

/** Carries the whole log to the bus: from the start to the head of this moment. */
async function relayAll({ log, bus, pool, logger }: Omit<RelayOptions, 'signal'>): Promise<void> {
  const head = await log.head();
  await pool.query(`update relay.leader set checkpoint = 0, expires_at = '-infinity'`);
  const stopping = new AbortController();
  const { prepare } = bus;
  if (prepare === undefined) throw new Error('this bus prepares nothing');
  await runRelay({
    log,
    pool,
    logger,
    signal: stopping.signal,
    bus: {
      ...bus,
      prepare: async (events) => {
        const publish = await prepare(events);
        return async () => {
          await publish();
          if (events.at(-1)?.position === head) stopping.abort();
        };
      },
    },
  });
}

// How fast the relay carries the log to Kafka, beside a bare sendBatch of the same messages.
const usage = `node --import tsx infra/bench/relay.ts --url postgres://user@host:port/postgres --kafka host:port [--events 100000] [--rounds 5]

Writes so many events of about 500 bytes (about 1,060 as messages) into a database of its own. Then in turns: sends all of them,
prepared in memory, with kafkajs's sendBatch (1,000 a batch, one in flight, idempotent, acks all), and lets a relay carry them
from the log to Kafka. Prints the medians of the rounds: events/s, and the CPU time of this process for an event, which says more
on a busy machine. Drops the database and deletes the topics.`;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    kafka: { type: 'string' },
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});
const { url, kafka: broker } = values;
if (values.help) console.log(usage);
else if (url === undefined || broker === undefined) throw new Error(`give --url and --kafka\n${usage}`);
else await inFreshDatabase(url, (connectionString) => run(connectionString, broker));

type Round = { readonly perSecond: number; readonly cpu: number };

async function run(connectionString: string, address: string): Promise<void> {
  const log = await createPostgresEventLog({ connectionString });
  await migrate(connectionString, 'relay', relayMigrations);
  const count = await write(log, Number(values.events));
  const batches = await prepareAll(log);

  const logger = createLogger({ service: 'bench', level: 'error' });
  const topicPrefix = `bench-${newId()}`;
  const bus = createKafkaBus({ brokers: [address], clientId: 'bench', logger, topicPrefix });
  await bus.ensureTopics();
  const client = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const bare = await bareSend(client, `${topicPrefix}.task`);
  const pool = new pg.Pool({ connectionString, max: 4 });

  const ways: Record<string, () => Promise<void>> = {
    'bare sendBatch': () => bare.send(batches),
    relay: () => relayAll({ log, bus, pool, logger }),
  };
  const rounds = new Map<string, Round[]>(Object.keys(ways).map((name) => [name, []]));
  // In turns, so that what else the machine does meets all alike; the first round warms up.
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [name, way] of Object.entries(ways)) {
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      await way();
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      if (round > 0) rounds.get(name)?.push({ perSecond: count / seconds, cpu: (user + system) / count });
    }
  }
  await bare.close();
  await bus.close();
  await pool.end();
  await log.close();
  await deleteTopics(client, topicPrefix);
  report(rounds);
}

/** In appends of 100 events, ten at once. */
async function write(log: EventLog, count: number): Promise<number> {
  for (let written = 0; written < count; written += 1000) {
    const append = (): Promise<unknown> => log.append(newStream(), Array.from({ length: 100 }, newEvent), 'none');
    await Promise.all(Array.from({ length: 10 }, append));
  }
  return Number(await log.head());
}

async function prepareAll(log: EventLog): Promise<PartitionedMessage[][]> {
  const batches: PartitionedMessage[][] = [];
  let batch: PartitionedMessage[] = [];
  for await (const event of log.readAll()) {
    if (batch.length === 0) batches.push(batch);
    if (batch.push(messageOf(event)) === 1_000) batch = [];
  }
  return batches;
}

async function deleteTopics(client: Kafka, prefix: string): Promise<void> {
  const admin = client.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((topic) => topic.startsWith(prefix)) });
  await admin.disconnect();
}

function report(rounds: ReadonlyMap<string, readonly Round[]>): void {
  const median = (name: string, of: (round: Round) => number): number => {
    const sorted = (rounds.get(name) ?? []).map(of).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  const speed = (name: string): number => median(name, ({ perSecond }) => perSecond);
  console.table(
    [...rounds.keys()].map((name) => ({
      what: name,
      'events/s': Math.round(speed(name)),
      'CPU µs/event': Number(median(name, ({ cpu }) => cpu).toFixed(1)),
      '× bare sendBatch': Number((speed(name) / speed('bare sendBatch')).toFixed(2)),
    })),
  );
}
