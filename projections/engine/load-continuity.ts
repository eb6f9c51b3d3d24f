import type { PoolClient } from 'pg';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Continuity } from './fold-events.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

type Row = {
  stream: string;
  revision: number;
  eventId: string | null;
  reason: string | null;
  parkedRevision: number;
  parkedEventId: string;
};

/** How far the projection came in each of the streams; a stream that it never saw is missing. */
export async function loadContinuity(
  client: PoolClient,
  tables: Tables,
  { name, version }: Projection,
  streams: readonly string[],
): Promise<Map<string, Continuity>> {
  const rows = await selectRows<Row>(
    client,
    `select stream, revision, event_id as "eventId", reason, parked_revision as "parkedRevision",
       parked_event_id as "parkedEventId"
     from ${tables.streams} where projection = $1 and version = $2 and stream = any($3)`,
    [name, version, streams],
  );
  return new Map(
    rows.map(({ stream, revision, eventId, reason, parkedRevision, parkedEventId }) => [
      stream,
      {
        revision,
        eventId,
        parked: reason === null ? null : { reason, revision: parkedRevision, eventId: parkedEventId },
      },
    ]),
  );
}
