import type { Logger } from 'pino';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import type { SagaStore } from '../store.ts';
import type { OpenEffect, OpenEffects } from './open-effects.ts';
import { queueUnlessSettled } from './performer.ts';
import type { EffectQueue } from './queue.ts';

export type SweepOptions = {
  readonly store: SagaStore;
  readonly queue: Pick<EffectQueue, 'enqueue'>;
  readonly openEffects: OpenEffects;
  readonly outages: Outages;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Between two looks; default 30,000. */
  readonly sweepMilliseconds?: number;
};

const EVERY_MILLISECONDS = 30_000;
/** Younger ones are still on their way into the queue. */
const SETTLED_SECONDS = 20;
const PAGE = 200;

/**
 * Queues again, at once and then by and by until the signal aborts, what was requested and has neither a result nor a job: whoever
 * lost it on the way, and whatever became of the queue. Costs what is open, not what ever was.
 */
export async function runSweep(options: SweepOptions): Promise<void> {
  const { outages, logger, signal, sweepMilliseconds = EVERY_MILLISECONDS } = options;
  for (let seconds = 0; !signal.aborted;) {
    try {
      const queued = await sweepOnce(options, seconds);
      if (queued > 0) logger.warn({ effects: queued }, 'effects that had no job are queued again');
      seconds = SETTLED_SECONDS;
    } catch (error) {
      if (!signal.aborted && !outages.isTold(error)) logger.warn({ err: error }, 'sweep failed: trying again');
    }
    await pause(sweepMilliseconds, signal);
  }
}

/** @returns how many were queued */
async function sweepOnce(options: SweepOptions, seconds: number): Promise<number> {
  const { store, openEffects, outages, signal } = options;
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  let queued = 0;
  let last: OpenEffect | undefined;
  do {
    const page: OpenEffect[] = await inPostgres(() => openEffects.withoutJob(seconds, PAGE, last));
    const settled: OpenEffect[] = [];
    for (const open of page) {
      if (signal.aborted) return queued;
      if (store.sagaOf(open.stream) === null) continue;
      if (await queueUnlessSettled(open, options)) queued += 1;
      else settled.push(open);
    }
    await inPostgres(() => openEffects.settle(settled));
    last = page.length === PAGE ? page.at(-1) : undefined;
  } while (last !== undefined);
  return queued;
}
