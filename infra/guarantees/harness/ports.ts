import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventBus, Offset } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { createTestDatabase } from '@workledger/shared/testing/database.ts';
import type { Pool } from 'pg';
import { openLog } from './logs.ts';

/** An engine's ports without a running system: for promises that need none. */
export type Ports = {
  /** Where another process finds the log: `openLog[engine](address)`. */
  readonly address: string;
  readonly log: EventLog;
  /** Connection URL of the PostgreSQL that holds the read models: schema `read_models` is there, and empty. */
  readonly databaseUrl: string;
  readonly pool: Pool;
  /** The log and a bus over it, as a process of its own would have them. */
  another(): Promise<{ readonly log: EventLog; readonly bus: EventBus }>;
  close(): Promise<void>;
};

export type PortEngine = {
  readonly name: string;
  open(): Promise<Ports>;
  /** The offset right after an event of a batch, where the engine lets that be known: there a batch may be cut. */
  offsetAfter(event: RecordedEvent): Offset;
};

const embedded: PortEngine = {
  name: 'embedded',
  offsetAfter: ({ position }) => position + 1n,
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

/** Every engine that the promises are held on. */
export const portEngines: readonly PortEngine[] = [embedded];
