import type { Pool } from 'pg';
import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import type { Lease } from '../lease/hold-lease.ts';
import { createBell } from '../bell.ts';
import { moveCheckpoint } from './move-checkpoint.ts';

export type CheckpointKeeper = {
  /** Everything up to here was acknowledged. Written behind the caller's back: the next batch need not wait. */
  note(position: bigint): void;
  /** Resolves when the last one noted is written, or refused, or the database did not take it. */
  stop(): Promise<void>;
};

export type KeepCheckpointOptions = {
  readonly pool: Pool;
  readonly lease: Lease;
  readonly leaseMilliseconds: number;
  readonly start: bigint;
  readonly database: Outage;
};

/** Writes the latest position noted, one statement at a time. A refusal ends the term. */
export function keepCheckpoint(options: KeepCheckpointOptions): CheckpointKeeper {
  const { pool, lease, leaseMilliseconds, database } = options;
  const stopping = new AbortController();
  const noted = createBell();
  let latest = options.start;
  let written = options.start;

  const write = async (position: bigint): Promise<void> => {
    const moving = moveCheckpoint(pool, lease.epoch, position);
    const isMine = await withDeadline(moving, leaseMilliseconds / 2, 'moving the checkpoint');
    database.worked(null);
    if (isMine) written = position;
    else lease.lose();
  };

  const keepWriting = async (): Promise<void> => {
    let failures = 0;
    while (!lease.lost.aborted) {
      if (latest === written) {
        if (stopping.signal.aborted) return;
        await noted.next(AbortSignal.any([stopping.signal, lease.lost]));
        continue;
      }
      try {
        await write(latest);
        failures = 0;
      } catch (error) {
        database.failed(null, error);
        if (stopping.signal.aborted) return;
        await pause(backOff(failures++, 50, 1_000), AbortSignal.any([stopping.signal, lease.lost]));
      }
    }
  };
  const writing = keepWriting();

  return {
    note: (position) => {
      latest = position;
      noted.ring();
    },
    stop: async () => {
      stopping.abort();
      await writing;
    },
  };
}
