import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createTestDatabase } from '@workledger/shared/testing/database.ts';
import type { Pool } from 'pg';
import { openLog } from './logs.ts';

/** An engine's ports without a running system: for promises that need none. */
export type Ports = {
  /** Where another process finds the log: `openLog[engine](address)`. */
  readonly address: string;
  readonly log: EventLog;
  /** Schema `read_models` is there, and empty. */
  readonly pool: Pool;
  /** The log and a bus over it, as a process of its own would have them. */
  another(): Promise<{ readonly log: EventLog; readonly bus: EventBus }>;
  close(): Promise<void>;
};

export type PortEngine = { readonly name: string; open(): Promise<Ports> };

const embedded: PortEngine = {
  name: 'embedded',
  open: async () => {
    const database = await createTestDatabase();
    await migrateReadModels(database.url);
    const closing: (() => Promise<void>)[] = [];
    const another = async (): Promise<{ log: EventLog; bus: EventBus }> => {
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

/** Every engine that the promises are held on. */
export const portEngines: readonly PortEngine[] = [embedded];
