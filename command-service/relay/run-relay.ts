import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { createOutages, type Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { WrongLog } from '@workledger/shared/event-log/first-event-id.ts';
import { lead } from './lead.ts';
import { holdLease, takeLease } from './lease.ts';
import type { RelayBus } from './send-all.ts';
import { reportState, type RelayState } from './state.ts';

export type RelayOptions = {
  readonly log: EventLog;
  readonly bus: RelayBus;
  /** Of the database that holds lease and checkpoint, after `migrate(url, 'relay', relayMigrations)`; three connections. */
  readonly pool: Pool;
  readonly logger: Logger;
  /** The process's own, if it has one. */
  readonly outages?: Outages;
  readonly signal: AbortSignal;
  /** Who leads, for people; default: host, process, and something random. */
  readonly owner?: string;
  /** After so long without a renewal another relay takes over; default 2,500. A twelfth of it is how often a standby looks. */
  readonly leaseMilliseconds?: number;
  /** Told of the state when the role changes, and every second. */
  readonly onState?: (state: RelayState) => void;
};

/** Who must not lead because of a wrong log asks again after this, in milliseconds. */
const REFUSED_PAUSE = 5_000;

/**
 * Carries the log to the bus, in order, at least once; of all that run on one database, one at a time. Resolves when the signal
 * aborts and the batch in hand is done. What goes away (log, bus, database) is waited for.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { log, bus, pool, logger, signal, leaseMilliseconds = 2_500 } = options;
  const owner = options.owner ?? `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const told = options.outages ?? createOutages(logger);
  const outages = {
    database: told.of('postgresql'),
    bus: told.of('event-bus'),
    log: told.of('event-log'),
  };
  const state = reportState(log, options.onState ?? (() => undefined), signal);

  let refused: string | null = null;
  const serveTerm = async (epoch: bigint, checkpoint: bigint, takenAt: number): Promise<void> => {
    logger.info({ epoch, checkpoint, owner }, 'this relay leads');
    state.set({ role: 'leader', epoch, checkpoint });
    const lease = holdLease({ pool, epoch, leaseMilliseconds, takenAt, database: outages.database });
    lease.lost.addEventListener('abort', () => {
      logger.warn({ epoch, owner }, 'another relay leads: this one has stopped sending');
      state.set({ role: 'standby' });
    });
    const onSent = (position: bigint): void => state.set({ checkpoint: position, problem: null });
    try {
      await lead({ log, bus, pool, lease, leaseMilliseconds, checkpoint, signal, outages, logger, onSent });
      refused = null;
    } catch (error) {
      if (!(error instanceof WrongLog)) throw error;
      if (error.message !== refused) logger.error({ epoch, owner, reason: error.message }, 'this relay must not lead');
      refused = error.message;
      state.set({ role: 'standby', problem: refused });
      await pause(REFUSED_PAUSE, signal);
    }
  };

  while (!signal.aborted) {
    try {
      const sentAt = performance.now();
      const taking = takeLease(pool, owner, leaseMilliseconds);
      const row = await withDeadline(taking, leaseMilliseconds, 'taking the lease');
      outages.database.worked(null);
      if (row.taken) await serveTerm(row.epoch, row.checkpoint, sentAt);
      else state.set({ role: 'standby', epoch: row.epoch, checkpoint: row.checkpoint });
    } catch (error) {
      outages.database.failed(null, error);
    }
    await pause(leaseMilliseconds / 12, signal);
  }
  state.set({ role: 'standby' });
  await state.done;
}
