import type { Pool } from 'pg';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import { readAhead } from './batches/read-ahead.ts';
import { keepCheckpoint } from './checkpoint/keep-checkpoint.ts';
import type { Lease } from './lease/hold-lease.ts';
import { releaseLease } from './lease/release-lease.ts';
import { sendAll, type RelayBus } from './send-all.ts';

export type LeadOptions = {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly bus: RelayBus;
  readonly pool: Pool;
  readonly lease: Lease;
  readonly leaseMilliseconds: number;
  /** Where the term starts: exclusive. */
  readonly checkpoint: bigint;
  readonly signal: AbortSignal;
  readonly outages: { readonly database: Outage; readonly bus: Outage; readonly log: Outage };
  /** Told of every position that the bus has acknowledged. */
  readonly onSent: (position: bigint) => void;
};

/** One term: from the checkpoint to wherever the log ends, until the lease is lost or the signal aborts. */
export async function lead(options: LeadOptions): Promise<void> {
  const { log, bus, pool, lease, leaseMilliseconds, checkpoint, signal, outages, onSent } = options;
  const over = AbortSignal.any([signal, lease.lost]);
  const keeper = keepCheckpoint({ pool, lease, leaseMilliseconds, start: checkpoint, database: outages.database });
  const batches = readAhead({ log, after: checkpoint, signal: over, outage: outages.log });

  const sending = sendAll(bus, batches, { lease, signal: over, outage: outages.bus }, (position) => {
    keeper.note(position);
    onSent(position);
  });
  // A deposed leader waits for its batch in flight: it must not send a second one beside it in its next term.
  await Promise.race([sending, stopped(signal, leaseMilliseconds)]);
  await batches.done;
  await keeper.stop();
  await lease.stop();
  if (!lease.lost.aborted) await release(pool, lease.epoch, leaseMilliseconds);
}

/** A bus that does not answer is not waited for longer than this when the relay shall stop. */
async function stopped(signal: AbortSignal, milliseconds: number): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await pause(milliseconds);
}

/** A courtesy to the successor: without it, the lease runs out by itself. */
async function release(pool: Pool, epoch: bigint, milliseconds: number): Promise<void> {
  await withDeadline(releaseLease(pool, epoch), milliseconds, 'releasing the lease').catch(() => undefined);
}
