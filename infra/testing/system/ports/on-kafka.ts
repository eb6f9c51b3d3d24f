import { relayMigrations } from '@workledger/command-service/relay/migrations.ts';
import { runRelay } from '@workledger/command-service/relay/run-relay.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { createTestDatabase } from '../../servers/database.ts';
import { kafkaBrokers } from '../../servers/kafka.ts';
import type { Pool } from 'pg';
import { openLog } from '../logs.ts';
import { startLogServer } from '../../servers/log-server.ts';
import { createOwnStreams } from '../own-streams.ts';
import type { PortEngine, Ports } from './port-engine.ts';

const logger = createLogger({ service: 'guarantees', level: 'silent' });
/** One batch is one request: without transactions and compaction its offsets leave none out. */
const offsetAfter: PortEngine['offsetAfter'] = ({ from, next, events }, index) =>
  next - from === BigInt(events.length) ? from + BigInt(index + 1) : undefined;

/** A log, a relay that runs, and the run's real Kafka under topics of its own. @param name as in `openLog` */
export const onKafka = (name: 'distributed' | 'eventstoredb'): PortEngine => ({
  name,
  offsetAfter,
  open: async () => {
    const database = await createTestDatabase();
    await migrateReadModels(database.url);
    await migrate(database.url, 'relay', relayMigrations);
    const server = await startLogServer(name, database.url);
    const topicPrefix = `guarantees-${newId()}`;
    const closing: (() => Promise<void>)[] = [];
    const first = await openLog[name]!(server.address);
    closing.push(() => first.close());
    const ownStreams = await createOwnStreams(first);

    const another: Ports['another'] = async (membership = 'sharing') => {
      const log = await openLog[name]!(server.address);
      const bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'guarantees', logger, topicPrefix });
      closing.push(async () => {
        await bus.close();
        await log.close();
      });
      return { log: ownStreams.of(log), bus: membership === 'sharing' ? bus : inGroupsOfItsOwn(bus) };
    };

    const relay = startRelay({ ...(await another()), pool: database.pool });
    return {
      address: server.address,
      databaseUrl: database.url,
      log: ownStreams.of(first),
      pool: database.pool,
      another,
      close: async () => {
        await relay.stop();
        for (const close of closing) await close();
        await server.stop();
        await database.drop();
      },
    };
  },
});

function startRelay(options: { readonly log: EventLog; readonly bus: EventBus; readonly pool: Pool }) {
  const stopping = new AbortController();
  const running = runRelay({ ...options, logger, signal: stopping.signal });
  return {
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

const inGroupsOfItsOwn = (bus: EventBus): EventBus => ({
  ...bus,
  consume: (options, consumer) => bus.consume({ ...options, group: `${options.group}-${newId()}` }, consumer),
});
