import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { SagaStore } from '../store.ts';
import { queueUnlessSettled } from './performer.ts';
import type { EffectQueue } from './queue.ts';

/** An effect that was requested at a revision of its saga's stream, and whose result the log did not tell yet. */
export type OpenEffect = { readonly stream: string; readonly key: string; readonly revision: number };

type Named = Pick<OpenEffect, 'stream' | 'key'>;

/** Effects without a result, noted as the log tells of them: what has to be done, however old the log is. */
export type OpenEffects = {
  /** Repeats are harmless. */
  note(requested: readonly OpenEffect[], settled: readonly Named[]): Promise<void>;
  settle(effects: readonly Named[]): Promise<void>;
  /**
   * Those noted so many seconds ago, or earlier, whose job is not in the queue: in order, at most `limit`.
   * @param after the last one of the page before
   */
  withoutJob(seconds: number, limit: number, after?: Named): Promise<OpenEffect[]>;
};

export const createOpenEffects = (pool: Pool): OpenEffects => ({
  note: async (requested, settled) => {
    await pool.query(NOTE, [
      ...[requested.map(({ stream }) => stream), requested.map(({ key }) => key)],
      ...[requested.map(({ revision }) => revision)],
      ...columns(settled),
    ]);
  },
  settle: async (effects) => {
    if (effects.length > 0) await pool.query(SETTLE, columns(effects));
  },
  withoutJob: async (seconds, limit, after) => {
    const values = [seconds, limit, after?.stream ?? '', after?.key ?? ''];
    return (await pool.query<OpenEffect>(WITHOUT_JOB, values)).rows;
  },
});

const columns = (effects: readonly Named[]): string[][] => [
  effects.map(({ stream }) => stream),
  effects.map(({ key }) => key),
];

const SETTLE = `
  delete from sagas.open_effects o using unnest($1::text[], $2::text[]) as settled (stream, key)
  where o.stream = settled.stream and o.key = settled.key`;

// What one batch both requests and settles never gets a row.
const NOTE = `
  with settled as (select * from unnest($4::text[], $5::text[]) as s (stream, key)),
  gone as (
    delete from sagas.open_effects o using settled s where o.stream = s.stream and o.key = s.key
  )
  insert into sagas.open_effects (stream, key, revision)
  select r.stream, r.key, r.revision from unnest($1::text[], $2::text[], $3::integer[]) as r (stream, key, revision)
  where not exists (select from settled s where s.stream = r.stream and s.key = r.key)
  on conflict (stream, key) do nothing`;

const WITHOUT_JOB = `
  select stream, key, revision from sagas.open_effects o
  where noted_at <= clock_timestamp() - make_interval(secs => $1) and (stream, key) > ($3, $4)
    and not exists (select from graphile_worker._private_jobs j where j.key = o.stream || '/' || o.key)
  order by stream, key limit $2`;

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
