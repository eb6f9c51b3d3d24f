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

/** What belongs to a log, in the words of what is told. */
export type LogOwner = {
  /** "the read models (schema read_models) belong" */
  readonly belongs: string;
  /** What does not happen while it is another log: "Nothing is applied". */
  readonly meanwhile: string;
};

/** Takes note of a log's first event, where none is known yet. @returns the one that is known */
export type KnownLog = (first: string | null) => Promise<string | null>;

/** Milliseconds after which it is looked again. */
const INTERVAL = 2_000;

/**
 * Whether this is the log that something belongs to; a log is known by its first event.
 * @param first id of the first event of the log that is given; null: it has none
 * @returns false while the log has no event by which to know it again
 * @throws WrongLog
 */
export async function checkLog(owner: LogOwner, known: KnownLog, first: string | null): Promise<boolean> {
  const kept = await known(first);
  if (kept !== null && kept !== first)
    throw new WrongLog(
      `${owner.belongs} to the event log that begins with event ${kept}, but the log that is given now begins with ` +
        `${first ?? 'nothing'}. ${mend(owner)}`,
    );
  return kept !== null;
}

/** What its owner can do about another log. */
export const mend = ({ meanwhile }: Pick<LogOwner, 'meanwhile'>): string =>
  `${meanwhile}. Set EVENTSTOREDB_URL and DATABASE_URL to the log that this belongs to; or, if this log is to count from now on, ` +
  'stop everything, delete the Kafka topics and begin with an empty DATABASE_URL';

/** The log of all that stands in a schema, kept in its table `log`. */
const knownIn =
  (pool: Pool, schema: string): KnownLog =>
  async (first) => {
    if (first !== null)
      await pool.query(`insert into ${schema}.log (first_event_id) values ($1) on conflict do nothing`, [first]);
    const { rows } = await pool.query<{ known: string }>(`select first_event_id as known from ${schema}.log`);
    return rows[0]?.known ?? null;
  };

/**
 * Waits until a schema and the log belong together; says once why it waits. Of a log that is empty it takes note later.
 * @param who waits: "projections"
 */
export async function untilLogIsRight(
  who: string,
  owner: LogOwner & { readonly schema: string },
  options: LogIdentityOptions,
): Promise<void> {
  const { pool, log, logger, signal, outages, onProblem } = options;
  const watch = <Result>(server: string, action: () => Promise<Result>): Promise<Result> =>
    outages === undefined ? action() : outages.watch(server, action);
  const known = knownIn(pool, owner.schema);
  const check = async (): Promise<boolean> => {
    const first = await watch('event-log', () => firstEventId(log, signal));
    return checkLog(owner, (id) => watch('postgresql', () => known(id)), first);
  };
  const takeNote = async (): Promise<void> => {
    for (let isKnown = false; !isKnown && !signal.aborted;) {
      await pause(INTERVAL, signal);
      if (!signal.aborted) isKnown = await check().catch(() => false);
    }
  };

  let told: string | null = null;
  while (!signal.aborted) {
    try {
      const isKnown = await check();
      if (told !== null) onProblem?.(null);
      if (!isKnown) void takeNote();
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof WrongLog && reason !== told) {
        told = reason;
        logger.error({ reason }, `${who} wait: this is not their event log`);
        onProblem?.(reason);
      }
    }
    await pause(INTERVAL, signal);
  }
}
