import type { BusBatch, EventBus, Offset } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Pool } from 'pg';

/**
 * `sharing`: as any other worker of its group. `ousted`: as one whom its group has given up and who does not know it yet: it
 * goes on with every partition, whoever else has them.
 */
export type Membership = 'sharing' | 'ousted';

/** An engine's ports without a running system: for promises that need none. */
export type Ports = {
  /** Where another process finds the log: `openLog[engine](address)`. */
  readonly address: string;
  readonly log: EventLog;
  /** Connection URL of the PostgreSQL that holds the read models: schema `read_models` is there, and empty. */
  readonly databaseUrl: string;
  readonly pool: Pool;
  /** The log and a bus over it, as a process of its own would have them. */
  another(membership?: Membership): Promise<{ readonly log: EventLog; readonly bus: EventBus }>;
  close(): Promise<void>;
};

export type PortEngine = {
  readonly name: string;
  open(): Promise<Ports>;
  /** The offset right after an event of a batch, by its place there; undefined where that cannot be known: no cut there. */
  offsetAfter(batch: BusBatch, index: number): Offset | undefined;
};
