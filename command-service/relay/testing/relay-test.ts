import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { relayMigrations } from '../migrations.ts';
import { runRelay, type RelayOptions } from '../run-relay.ts';
import type { RelayState } from '../state.ts';

export type StartedRelay = {
  readonly states: RelayState[];
  state(): RelayState | undefined;
  /** What it logged, message by message. */
  said(): string[];
  stop(): Promise<void>;
};

export type RelayTest = {
  readonly database: TestDatabase;
  readonly log: EventLog;
  /** Appends so many events to each of so many new streams. @returns the events' ids, in the order of the log */
  fill(what: { streams: number; events: number; type?: string }): Promise<string[]>;
  logged(): Promise<RecordedEvent[]>;
  leader(): Promise<{ epoch: bigint; owner: string; checkpoint: bigint; held: boolean }>;
  startRelay(bus: Pick<EventBus, 'publish'>, options?: Partial<RelayOptions>): StartedRelay;
  close(): Promise<void>;
};

/** A log, a database with the relay's table, and relays in this process. */
export async function openRelayTest(): Promise<RelayTest> {
  const database = await createTestDatabase();
  const log = await createPostgresEventLog({ connectionString: database.url });
  await migrate(database.url, 'relay', relayMigrations);
  const relays: StartedRelay[] = [];

  return {
    database,
    log,
    fill: async ({ streams, events, type = 'task' }) => {
      const after = await log.head();
      const names = Array.from({ length: streams }, () => streamName(type, newId()));
      // Halves, so that the streams of one call are mixed in the log.
      const half = Math.ceil(events / 2);
      await Promise.all(names.map((name) => log.append(name, anyEvents(half), 'none')));
      if (events > half) await Promise.all(names.map((name) => log.append(name, anyEvents(events - half), half - 1)));
      return (await collect(log.readAll({ after }))).map(({ id }) => id);
    },
    logged: () => collect(log.readAll()),
    leader: async () => {
      const { rows } = await database.pool.query<{ epoch: string; owner: string; checkpoint: string; held: boolean }>(
        'select epoch, owner, checkpoint, expires_at > clock_timestamp() as held from relay.leader',
      );
      const row = rows[0]!;
      return { ...row, epoch: BigInt(row.epoch), checkpoint: BigInt(row.checkpoint) };
    },
    startRelay: (bus, options = {}) => {
      const stopping = new AbortController();
      const { logger, lines } = captureLog('info');
      const states: RelayState[] = [];
      const running = runRelay({
        log,
        bus,
        pool: database.pool,
        logger,
        signal: stopping.signal,
        leaseMilliseconds: 600,
        onState: (state) => states.push(state),
        ...options,
      });
      const relay: StartedRelay = {
        states,
        state: () => states.at(-1),
        said: () => lines().map((line) => String(line['msg'])),
        stop: () => {
          stopping.abort();
          return running;
        },
      };
      relays.push(relay);
      return relay;
    },
    close: async () => {
      await Promise.all(relays.map((relay) => relay.stop()));
      await log.close();
      await database.drop();
    },
  };
}

type Arrived = { readonly id: string; readonly stream: string; readonly revision: number };

/**
 * What a consumer keeps that drops repeats by revision: ids by stream. A gap is an error: nothing that comes later mends it.
 */
export function firstArrivals(arrivals: readonly Arrived[]): Map<string, string[]> {
  const kept = new Map<string, string[]>();
  for (const { id, stream, revision } of arrivals) {
    const ids = kept.get(stream) ?? [];
    if (revision > ids.length) throw new Error(`${stream}: revision ${revision} came after ${ids.length - 1}`);
    if (revision === ids.length) ids.push(id);
    else if (ids[revision] !== id) throw new Error(`${stream}: revision ${revision} came as another event`);
    kept.set(stream, ids);
  }
  return kept;
}
