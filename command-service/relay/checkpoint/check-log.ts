import type { Pool } from 'pg';
import { WrongLog } from '@workledger/shared/event-log/first-event-id.ts';

/** Id of its first event, and position of its last. */
export type LogFacts = { readonly first: string | null; readonly head: bigint };

/**
 * Whether the checkpoint is about this log. The first event of the log tells; it is kept beside the checkpoint.
 * @returns false while the log has no event by which to know it again
 * @throws WrongLog
 */
export async function checkLog(
  pool: Pool,
  { first, head }: LogFacts,
  epoch: bigint,
  checkpoint: bigint,
): Promise<boolean> {
  const { rows } = await pool.query<{ first: string | null }>(
    `update relay.leader set first_event_id = coalesce(first_event_id, $2) where epoch = $1
     returning first_event_id as first`,
    [epoch, checkpoint <= head ? first : null],
  );
  const known = rows[0]?.first ?? null;
  if (known !== null && known !== first)
    throw new WrongLog(
      `the relay's checkpoint ${checkpoint} (table relay.leader) belongs to the event log that begins with event ${known}, but the ` +
        `log that is given now begins with ${first ?? 'nothing'}. ${MEND}`,
    );
  if (checkpoint > head)
    throw new WrongLog(
      `the relay's checkpoint ${checkpoint} (table relay.leader) is beyond the head ${head} of the event log: events that were ` +
        `published are gone from it. ${MEND}`,
    );
  return known !== null;
}

const MEND =
  'Nothing is sent. Set EVENTSTOREDB_URL and DATABASE_URL to the log that it belongs to; or, if this log is to count from now on, ' +
  'stop everything, delete the Kafka topics and begin with an empty DATABASE_URL';
