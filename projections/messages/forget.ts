import type { Pool } from 'pg';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';

/** Milliseconds between two looks. Who reads leaves out what is too old by itself: this only makes room. */
const EVERY = 600_000;
const AT_ONCE = 1_000;

/**
 * Messages that are older than they are kept, and what was confirmed of them; what went out under a guarantee, and expired so long ago. The log has them still; a read model that is made
 * anew forgets them again. @returns how many rows went
 */
async function forgetMessages(pool: Pool, retentionDays: number): Promise<number> {
  let all = 0;
  for (const [table, column] of [
    ['messages_v1', 'sent_at'],
    ['receipts_v1', 'delivered_at'],
    ['dispatches_v1', 'expires_at'],
    ['dispatch_deliveries_v1', 'expires_at'],
  ] as const)
    for (let gone = AT_ONCE; gone === AT_ONCE; all += gone) {
      const isKept =
        table === 'receipts_v1' ? 'and not exists (select from read_models.messages m where m.id = message_id)' : '';
      const { rowCount } = await pool.query(
        `delete from read_models.${table} where id in (select id from read_models.${table}
           where ${column} < clock_timestamp() - make_interval(secs => $1) ${isKept} limit ${AT_ONCE})`,
        [retentionDays * 86_400],
      );
      gone = rowCount ?? 0;
    }
  return all;
}

/** Forgets again and again, until the signal aborts. */
export async function keepForgetting(
  { pool, logger }: { readonly pool: Pool; readonly logger: Logger },
  retentionDays: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await forgetMessages(pool, retentionDays).catch((error: unknown) =>
      logger[isAway(error) ? 'debug' : 'warn']({ err: error }, 'old messages could not be forgotten: later'),
    );
    await pause(EVERY, signal);
  }
}
