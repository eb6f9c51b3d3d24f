import { setTimeout as pause } from 'node:timers/promises';
import { relayMigrations } from '@workledger/command-service/relay/migrations.ts';
import { runRelay } from '@workledger/command-service/relay/run-relay.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { contexts } from '@workledger/shared/events/catalogue.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';

export type RunningKafka = {
  /** Consumes from topics of its own. */
  readonly bus: EventBus;
  /** Waits until the relay has published the whole log. */
  untilPublished(): Promise<void>;
  close(): Promise<void>;
};

/** A relay of the log to topics of its own, on a connection of its own, and a bus that consumes from them. */
export async function relayToKafka(
  brokers: readonly string[],
  connectionString: string,
  log: EventLog,
): Promise<RunningKafka> {
  const logger = createLogger({ service: 'bench', level: 'error' });
  const topicPrefix = `bench-${newId()}`;
  const open = () => createKafkaBus({ brokers, clientId: 'bench', logger, topicPrefix });
  const [outgoing, bus] = [open(), open()];
  await migrate(connectionString, 'relay', relayMigrations);
  const pool = createDatabasePool({ connectionString, max: 3, applicationName: 'bench relay', queryTimeout: null });
  const stopping = new AbortController();
  const relaying = runRelay({ log, bus: outgoing, pool, logger, signal: stopping.signal });
  return {
    bus,
    untilPublished: async () => {
      const head = await log.head();
      const published = async (): Promise<bigint> =>
        [...(await bus.endOffsets(contexts)).values()].reduce((sum, offset) => sum + offset, 0n);
      while ((await published()) < head) await pause(100);
    },
    close: async () => {
      stopping.abort();
      await relaying;
      await bus.close();
      await outgoing.close();
      await pool.end();
    },
  };
}
