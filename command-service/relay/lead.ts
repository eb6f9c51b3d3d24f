import type { Pool } from 'pg';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import { readAhead } from './batches/read-ahead.ts';
import { keepCheckpoint } from './checkpoint.ts';
import { releaseLease } from './lease.ts';
import { beginTerm, type Term, type TermOptions } from './begin-term.ts';
import { sendAll } from './send-all.ts';

export type LeadOptions = TermOptions & {
  readonly leaseMilliseconds: number;
  readonly signal: AbortSignal;
  /** Told of every position that the bus has acknowledged. */
  readonly onSent: (position: bigint) => void;
};

/** How often the leader looks whether its topics are still the same ones, in milliseconds. */
const LOOK = 5_000;

/**
 * One term: from the checkpoint to wherever the log ends, until the lease is lost, the topics are made anew, or the signal aborts.
 * @throws WrongLog when the checkpoint is not about this log: nothing was sent
 */
export async function lead(options: LeadOptions): Promise<void> {
  const { pool, lease, leaseMilliseconds, signal } = options;
  try {
    const term = await beginTerm(options, AbortSignal.any([signal, lease.lost]));
    if (term !== null) await serve(options, term);
  } finally {
    await lease.stop();
    if (!lease.lost.aborted) await release(pool, lease.epoch, leaseMilliseconds);
  }
}

async function serve(options: LeadOptions, term: Term): Promise<void> {
  const { log, bus, pool, lease, leaseMilliseconds, signal, outages, onSent } = options;
  const { checkpoint } = term;
  onSent(checkpoint);
  const ending = new AbortController();
  const over = AbortSignal.any([signal, lease.lost, ending.signal]);
  const lookAtTopics = async (): Promise<void> => {
    const same = await term.areTopicsSame().catch(() => true);
    if (!same) ending.abort();
  };
  const look = async (): Promise<void> => {
    await term.knowLog().catch(() => undefined);
    await lookAtTopics();
  };
  // Who is away is noticed by those who work.
  void every(LOOK, over, look);
  const keeper = keepCheckpoint({ pool, lease, leaseMilliseconds, start: checkpoint, database: outages.database });
  const batches = readAhead({ log, after: checkpoint, signal: over, outage: outages.log });

  const sending = sendAll(
    bus,
    batches,
    { lease, signal: over, outage: outages.bus, onFailed: lookAtTopics },
    (position, last) => {
      keeper.note(position, last);
      onSent(position);
    },
  );
  // A deposed leader waits for its batch in flight: it must not send a second one beside it in its next term.
  await Promise.race([sending, stopped(signal, leaseMilliseconds)]);
  ending.abort();
  await batches.done;
  await keeper.stop();
}

async function every(milliseconds: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (await pause(milliseconds, signal); !signal.aborted; await pause(milliseconds, signal)) await work();
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
