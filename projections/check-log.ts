import type { Pool } from 'pg';
import { firstEventId, WrongLog } from '@workledger/shared/event-log/first-event-id.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { EngineLogger } from './engine/logger.ts';

export type CheckOptions = {
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'readAll'>;
  readonly logger: EngineLogger;
  readonly signal: AbortSignal;
  /** Told why nothing is applied, and null when that is over. */
  readonly onProblem?: (problem: string | null) => void;
};

/** Milliseconds after which it is looked again. */
const INTERVAL = 2_000;

/**
 * Whether the read models are made from this log; kept in read_models.log, by the log's first event.
 * @returns false while the log has no event by which to know it again
 * @throws WrongLog
 */
async function checkLog(pool: Pool, log: Pick<EventLog, 'readAll'>, signal: AbortSignal): Promise<boolean> {
  const first = await firstEventId(log, signal);
  if (first !== null)
    await pool.query('insert into read_models.log (first_event_id) values ($1) on conflict do nothing', [first]);
  const { rows } = await pool.query<{ known: string }>('select first_event_id as known from read_models.log');
  const known = rows[0]?.known ?? null;
  if (known !== null && known !== first)
    throw new WrongLog(
      `the read models (schema read_models) belong to the event log that begins with event ${known}, but the log that is given now ` +
        `begins with ${first ?? 'nothing'}. Nothing is applied. Set EVENTSTOREDB_URL and DATABASE_URL to the log that they belong ` +
        'to; or, if this log is to count from now on, stop everything, delete the Kafka topics and begin with an empty DATABASE_URL',
    );
  return known !== null;
}

/** Waits until the read models and the log belong together; says once why it waits. Of a log that is empty it takes note later. */
export async function untilLogIsRight(options: CheckOptions): Promise<void> {
  const { pool, log, logger, signal, onProblem } = options;
  let told: string | null = null;
  while (!signal.aborted) {
    try {
      const isKnown = await checkLog(pool, log, signal);
      if (told !== null) onProblem?.(null);
      if (!isKnown) void takeNote(options);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // What is away is told by those who use it.
      if (error instanceof WrongLog && reason !== told) {
        told = reason;
        logger.error({ reason }, 'projections wait: this is not their event log');
        onProblem?.(reason);
      }
    }
    await pause(INTERVAL, signal);
  }
}

async function takeNote({ pool, log, signal }: CheckOptions): Promise<void> {
  for (let isKnown = false; !isKnown && !signal.aborted;) {
    await pause(INTERVAL, signal);
    if (!signal.aborted) isKnown = await checkLog(pool, log, signal).catch(() => false);
  }
}
