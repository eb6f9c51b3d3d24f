import { describeWithKafka } from '../servers/kafka.ts';
import { describe } from 'vitest';
import { chosen } from './engine.ts';
import { onKafka } from './ports/on-kafka.ts';
import type { PortEngine, Ports } from './ports/port-engine.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createTestDatabase } from '../servers/database.ts';
import { openLog } from './logs.ts';

/** The log in PostgreSQL, and its tail as the bus. A group has one member: whoever follows has every partition. */
const embedded: PortEngine = {
  name: 'embedded',
  offsetAfter: ({ events }, index) => events[index]!.position + 1n,
  open: async () => {
    const database = await createTestDatabase();
    await migrateReadModels(database.url);
    const closing: (() => Promise<void>)[] = [];
    const another: Ports['another'] = async () => {
      const log = await openLog['embedded']!(database.url);
      const bus = createInProcessBus(log);
      closing.push(async () => {
        await bus.close();
        await log.close();
      });
      return { log, bus };
    };
    return {
      address: database.url,
      databaseUrl: database.url,
      log: (await another()).log,
      pool: database.pool,
      another,
      close: async () => {
        for (const close of closing) await close();
        await database.drop();
      },
    };
  },
};

/** Those with Kafka where the run has one; its set-up says when not. */
const here: readonly PortEngine[] =
  describeWithKafka === describe ? [embedded, onKafka('distributed'), onKafka('eventstoredb')] : [embedded];

/** Every engine that the promises are held on. */
export const portEngines: readonly PortEngine[] = chosen(here.filter(({ name }) => name !== 'eventstoredb'));

/** The same, and the log in EventStoreDB: for promises that lean on what a log does. */
export const portEnginesOfEveryLog: readonly PortEngine[] = chosen(here);
