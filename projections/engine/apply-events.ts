import type { PoolClient } from 'pg';
import { foldEvents, reasonOf, type Folded, type Prepared } from './fold-events.ts';
import { loadContinuity } from './load-continuity.ts';
import { loadRows } from './load-rows.ts';
import type { Projection } from './projection.ts';
import { saveContinuity } from './save-continuity.ts';
import { saveRows } from './save-rows.ts';
import type { Tables } from './tables.ts';
import { isDataError } from './transaction.ts';

export type Applied = Pick<Folded, 'parked' | 'applied'>;

type ApplyEvents = (
  client: PoolClient,
  tables: Tables,
  projection: Projection,
  events: readonly Prepared[],
) => Promise<Applied>;

/** Checks, folds and writes the events. One query for all streams, one for all rows, one statement a table. */
export const applyTogether: ApplyEvents = async (client, tables, projection, events) => {
  if (events.length === 0) return { parked: [], applied: 0 };
  const names = new Set(events.map(({ event }) => event.stream));
  const streams = await loadContinuity(client, tables, projection, [...names]);
  const ids = new Set(events.flatMap((event) => event.ids));
  const rows = await loadRows(client, tables, projection, [...ids]);
  const folded = foldEvents(projection, events, { streams, rows });
  await saveRows(client, tables, projection, folded.rows);
  await saveContinuity(client, tables, projection, folded.streams);
  return folded;
};

/** The slow way, for a batch in which some row does not fit its table: only the stream of that row is stopped. */
export const applyOneByOne: ApplyEvents = async (client, tables, projection, events) => {
  const outcomes: Applied[] = [];
  for (const event of events) {
    await client.query('savepoint one_event');
    try {
      outcomes.push(await applyTogether(client, tables, projection, [event]));
    } catch (error) {
      if (!isDataError(error)) throw error;
      await client.query('rollback to savepoint one_event');
      const refused = { ...event, ids: [], unreadable: reasonOf(error) };
      outcomes.push(await applyTogether(client, tables, projection, [refused]));
    }
    await client.query('release savepoint one_event');
  }
  return {
    parked: outcomes.flatMap(({ parked }) => parked),
    applied: outcomes.reduce((sum, { applied }) => sum + applied, 0),
  };
};
