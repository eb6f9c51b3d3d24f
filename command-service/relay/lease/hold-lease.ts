import type { Pool } from 'pg';
import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import { createBell } from '../bell.ts';
import { renewLease } from './renew-lease.ts';

export type Lease = {
  readonly epoch: bigint;
  /** Aborted when another one leads. */
  readonly lost: AbortSignal;
  /** Waits until it surely holds (true), or until it is lost or the signal aborts (false). */
  untilHeld(signal: AbortSignal): Promise<boolean>;
  /** What the database says when it refuses our epoch. */
  lose(): void;
  /** Renews it no more. */
  stop(): Promise<void>;
};

export type HoldLeaseOptions = {
  readonly pool: Pool;
  readonly epoch: bigint;
  readonly leaseMilliseconds: number;
  /** When the query that took it was sent, by `performance.now()`. */
  readonly takenAt: number;
  readonly database: Outage;
};

/**
 * Renews the lease well before its end. Its deadline counts from before each query was sent, on the monotonic clock (which goes
 * on while a process is stopped): so it is never later than the database's, and a process that slept knows it on waking.
 */
export function holdLease({ pool, epoch, leaseMilliseconds, takenAt, database }: HoldLeaseOptions): Lease {
  const losing = new AbortController();
  const stopping = new AbortController();
  const over = AbortSignal.any([losing.signal, stopping.signal]);
  const renewed = createBell();
  let deadline = takenAt + leaseMilliseconds;

  const renew = async (): Promise<void> => {
    const sentAt = performance.now();
    const renewing = renewLease(pool, epoch, leaseMilliseconds);
    const isMine = await withDeadline(renewing, leaseMilliseconds / 2, 'renewing the lease');
    database.worked(null);
    if (!isMine) return losing.abort();
    deadline = Math.max(deadline, sentAt + leaseMilliseconds);
    renewed.ring();
  };

  const keepRenewing = async (): Promise<void> => {
    let failures = 0;
    while (!over.aborted) {
      await pause(failures === 0 ? leaseMilliseconds / 3 : backOff(failures, 50, leaseMilliseconds / 3), over);
      if (over.aborted) return;
      try {
        await renew();
        failures = 0;
      } catch (error) {
        failures += 1;
        database.failed(null, error);
      }
    }
  };
  const done = keepRenewing();

  return {
    epoch,
    lost: losing.signal,
    untilHeld: async (signal) => {
      const either = AbortSignal.any([signal, losing.signal]);
      while (!either.aborted && performance.now() >= deadline) await renewed.next(either);
      return !either.aborted;
    },
    lose: () => losing.abort(),
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}
