import type { Pool } from 'pg';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';

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
  const renewed = createWakeUps();
  let deadline = takenAt + leaseMilliseconds;

  const renew = async (): Promise<void> => {
    const sentAt = performance.now();
    const renewing = renewLease(pool, epoch, leaseMilliseconds);
    const isMine = await withDeadline(renewing, leaseMilliseconds / 2, 'renewing the lease');
    database.worked(null);
    if (!isMine) return losing.abort();
    deadline = Math.max(deadline, sentAt + leaseMilliseconds);
    renewed.wake();
  };

  const keepRenewing = async (): Promise<void> => {
    const longest = leaseMilliseconds / 3;
    const onFailed = (error: unknown): void => database.failed(null, error);
    for (await pause(longest, over); !over.aborted; await pause(longest, over))
      await keepTrying(renew, { signal: over, shortest: 100, longest, onFailed });
  };
  const done = keepRenewing();

  return {
    epoch,
    lost: losing.signal,
    untilHeld: async (signal) => {
      const either = AbortSignal.any([signal, losing.signal]);
      while (!either.aborted && performance.now() >= deadline) await renewed.next(null, either);
      return !either.aborted;
    },
    lose: () => losing.abort(),
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

/** The row as it is after the attempt: of the new leader when it was taken, else of the one who holds it. */
export type LeaderRow = { readonly taken: boolean; readonly epoch: bigint; readonly checkpoint: bigint };

/** Takes the lease when it has run out, and raises the epoch by it; on the database's clock. */
export async function takeLease(pool: Pool, owner: string, leaseMilliseconds: number): Promise<LeaderRow> {
  const { rows } = await pool.query<{ taken: boolean; epoch: string; checkpoint: string }>(
    `with mine as (
       update relay.leader
       set epoch = epoch + 1, owner = $1, expires_at = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
       where expires_at <= clock_timestamp()
       returning epoch, checkpoint
     )
     select mine.epoch is not null as taken,
       coalesce(mine.epoch, leader.epoch) as epoch, coalesce(mine.checkpoint, leader.checkpoint) as checkpoint
     from relay.leader left join mine on true`,
    [owner, leaseMilliseconds],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('relay.leader has no row: run the migrations of the relay');
  return { taken: row.taken, epoch: BigInt(row.epoch), checkpoint: BigInt(row.checkpoint) };
}

/** @returns false when another epoch has begun: nothing was changed */
export async function renewLease(pool: Pool, epoch: bigint, leaseMilliseconds: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update relay.leader set expires_at = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
     where epoch = $1`,
    [epoch, leaseMilliseconds],
  );
  return rowCount === 1;
}

/** Lets the next one take the lease at once. Does nothing when another epoch has begun. */
export async function releaseLease(pool: Pool, epoch: bigint): Promise<void> {
  await pool.query(`update relay.leader set expires_at = '-infinity' where epoch = $1`, [epoch]);
}
