import type { Pool } from 'pg';
import { firstEventId, WrongLog } from '../event-log/first-event-id.ts';
import type { EventLog } from '../event-log/port.ts';
import type { Outages } from '../resilience/outages/outages.ts';
import { pause } from '../resilience/pause.ts';

export type LogIdentityOptions = {
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'readAll'>;
  readonly logger: { error(facts: object, message: string): void };
  readonly signal: AbortSignal;
  /** Told why nothing is done, and null when that is over. */
  readonly onProblem?: ((problem: string | null) => void) | undefined;
  /** What is away is told here; without it, only by others who use it. */
  readonly outages?: Pick<Outages, 'watch'> | undefined;
};

/** Whose log it is, in the words of what is told. */
export type LogOwner = {
  /** Keeps the log's first event in its table `log`. */
  readonly schema: string;
  /** Who waits, and what belongs to a log: "projections", "the read models". */
  readonly who: string;
  readonly what: string;
  /** What does not happen meanwhile: "Nothing is applied". */
  readonly meanwhile: string;
};

/** Milliseconds after which it is looked again. */
const INTERVAL = 2_000;

/**
 * Waits until what was made from a log and the log belong together; says once why it waits. Of a log that is empty it takes note later.
 */
export async function untilLogIsRight(owner: LogOwner, options: LogIdentityOptions): Promise<void> {
  const { logger, signal, onProblem } = options;
  let told: string | null = null;
  while (!signal.aborted) {
    try {
      const isKnown = await checkLog(owner, options);
      if (told !== null) onProblem?.(null);
      if (!isKnown) void takeNote(owner, options);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof WrongLog && reason !== told) {
        told = reason;
        logger.error({ reason }, `${owner.who} wait: this is not their event log`);
        onProblem?.(reason);
      }
    }
    await pause(INTERVAL, signal);
  }
}

/**
 * Whether this is the log; it is known by its first event.
 * @returns false while the log has no event by which to know it again
 * @throws WrongLog
 */
async function checkLog({ schema, what, meanwhile }: LogOwner, options: LogIdentityOptions): Promise<boolean> {
  const { pool, log, signal, outages } = options;
  const watch = <Result>(server: string, action: () => Promise<Result>): Promise<Result> =>
    outages === undefined ? action() : outages.watch(server, action);
  const first = await watch('event-log', () => firstEventId(log, signal));
  const known = await watch('postgresql', async () => {
    if (first !== null)
      await pool.query(`insert into ${schema}.log (first_event_id) values ($1) on conflict do nothing`, [first]);
    const { rows } = await pool.query<{ known: string }>(`select first_event_id as known from ${schema}.log`);
    return rows[0]?.known ?? null;
  });
  if (known !== null && known !== first)
    throw new WrongLog(
      `${what} (schema ${schema}) belong to the event log that begins with event ${known}, but the log that is given now ` +
        `begins with ${first ?? 'nothing'}. ${meanwhile}. Set EVENTSTOREDB_URL and DATABASE_URL to the log that they belong ` +
        'to; or, if this log is to count from now on, stop everything, delete the Kafka topics and begin with an empty DATABASE_URL',
    );
  return known !== null;
}

async function takeNote(owner: LogOwner, options: LogIdentityOptions): Promise<void> {
  const { signal } = options;
  for (let isKnown = false; !isKnown && !signal.aborted;) {
    await pause(INTERVAL, signal);
    if (!signal.aborted) isKnown = await checkLog(owner, options).catch(() => false);
  }
}
