import { randomBytes } from 'node:crypto';
import { relayMigrations } from '@workledger/command-service/relay/migrations.ts';
import { readRecords, type KafkaRecord } from '@workledger/shared/event-bus/kafka/testing/read-records.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { collect } from '../../../testing/events/any-event.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import type { Pool } from 'pg';
import { openLog } from '../../../testing/system/logs.ts';
import { startLogServer } from '../../../testing/servers/log-server.ts';
import { createOwnStreams } from '../../../testing/system/own-streams.ts';
import { until } from '../../../testing/processes/until.ts';
import { followTrail } from './follow-trail.ts';
import { idsByStream } from './judge.ts';
import { countRunning, readLeader, readMoves, recordMoves, type CheckpointMove, type LeaderRow } from './leader-row.ts';
import { startRelayProcess, type RelayProcess } from './relay-process.ts';
import type { OwnServers } from '../../../testing/servers/own-servers.ts';
import { startWriters, writeMany } from './writers.ts';

const WRITERS = 6;
const PATIENCE_SECONDS = 60;

/** What stands in the log and what each reader had of it, when all is quiet. */
export type Outcome = {
  readonly logged: readonly RecordedEvent[];
  readonly records: readonly KafkaRecord[];
  readonly moves: readonly CheckpointMove[];
  /** By stream, what the projection was given; waits for it. */
  trails(): Promise<ReadonlyMap<string, readonly string[]>>;
};

/** A log under load, relays, Kafka, and a projection that follows; the log and the topics are this test's own. */
export type RelayWorld = {
  readonly log: EventLog;
  readonly relays: readonly RelayProcess[];
  startRelay(): RelayProcess;
  /** Waits until one of the relays leads, other than in this epoch. */
  leading(notIn?: bigint): Promise<{ readonly relay: RelayProcess; readonly epoch: bigint }>;
  /** Waits until one relay leads and another one is there to take over. */
  untilTwoRun(): Promise<void>;
  /** Fills many streams at once. Resolves as soon as some of that is published, with a promise that the log has all. */
  keepBusy(): Promise<{ readonly written: Promise<void> }>;
  /** Waits until the writers have written so many more, whatever is away meanwhile. */
  goOn(events: number): Promise<void>;
  /** Waits until all that stands in the log now is published. */
  untilPublished(): Promise<void>;
  /** Ends the load, waits for the relays and the readers, and tells what there is. */
  outcome(): Promise<Outcome>;
  dispose(): Promise<void>;
};

/** @param engine whose log it is, as in `openLog` */
export async function startRelayWorld(
  engine: 'distributed' | 'eventstoredb',
  servers: OwnServers,
): Promise<RelayWorld> {
  const name = `relays_${randomBytes(6).toString('hex')}`;
  const databaseUrl = await createDatabase(servers.postgres.address(), name);
  const pool = createDatabasePool({ connectionString: databaseUrl, max: 6, applicationName: 'guarantees' });
  const logServer = await startLogServer(engine, databaseUrl);
  const whole = await openLog[engine]!(logServer.address);
  const ownStreams = await createOwnStreams(whole);
  const log = ownStreams.of(whole);
  await migrate(databaseUrl, 'relay', relayMigrations);
  await recordMoves(pool, ownStreams.start);
  const kafkaBrokers = servers.kafka.address();
  const reader = await followTrail({ log, pool, databaseUrl, kafkaBrokers, topicPrefix: name });
  const writers = startWriters(log, WRITERS);
  const eventStoreDbUrl = engine === 'eventstoredb' ? logServer.address : null;
  const relays: RelayProcess[] = [];

  const leader = (): Promise<LeaderRow | null> => readLeader(pool).catch(() => null);
  const isPublished = async (position: bigint): Promise<boolean> => ((await leader())?.checkpoint ?? -1n) >= position;
  const lastOf = async (): Promise<bigint> => (await collect(log.readAll())).at(-1)?.position ?? 0n;

  return {
    log,
    relays,
    startRelay: () => {
      const settings = { databaseUrl, kafkaBrokers, topicPrefix: name, eventStoreDbUrl };
      const relay = startRelayProcess(`relay-${relays.length + 1}`, settings);
      relays.push(relay);
      return relay;
    },
    leading: (notIn = 0n) =>
      until('a relay to lead', async () => {
        const row = await leader();
        const relay = relays.find(({ pid }) => pid === row?.pid);
        return row !== null && row.epoch > notIn && relay !== undefined && { relay, epoch: row.epoch };
      }),
    untilTwoRun: async () => {
      await until('two relays to run', async () => (await countRunning(pool)) >= 2);
    },
    keepBusy: async () => {
      const before = await log.head();
      const written = writeMany(log, 200);
      await until('the relay to be busy', () => isPublished(before + 1n));
      return { written };
    },
    goOn: async (events) => {
      const enough = writers.written() + events;
      await until('the writers to go on', () => writers.written() >= enough, 120);
    },
    untilPublished: async () => {
      const last = await lastOf();
      await until('all to be published', () => isPublished(last), PATIENCE_SECONDS);
    },
    outcome: async () => {
      await writers.stop();
      const logged = await until('the log to be read', () => collect(log.readAll()).catch(() => null));
      // What is never published, the comparison tells.
      const last = logged.at(-1)?.position ?? 0n;
      await until('all to be published', () => isPublished(last), PATIENCE_SECONDS).catch(() => undefined);
      const topics = ['task', 'agent'].map((context) => `${name}.${context}`);
      const records = await readRecords([kafkaBrokers], topics);
      return { logged, records, moves: await readMoves(pool), trails: () => reader.seen(idsByStream(logged)) };
    },
    dispose: async () => {
      await Promise.all(relays.map((relay) => relay.kill9()));
      await writers.stop().catch(() => undefined);
      await reader.stop();
      await whole.close();
      await pool.end();
      await logServer.stop();
    },
  };
}

async function createDatabase(server: string, name: string): Promise<string> {
  const pool: Pool = createDatabasePool({ connectionString: server, max: 1, applicationName: 'guarantees' });
  await pool.query(`create database ${name}`);
  await pool.end();
  return Object.assign(new URL(server), { pathname: `/${name}` }).toString();
}
