import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createTestDatabase } from '../../servers/database.ts';
import { openLog } from '../logs.ts';
import type { PortEngine, Ports } from './port-engine.ts';

/** The log in PostgreSQL, and its tail as the bus. A group has one member: whoever follows has every partition. */
export const embedded: PortEngine = {
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
