import type { Pool } from 'pg';
import type { ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { readModelTypes } from '@workledger/shared/read-models/select-rows.ts';
import type { Continuity, Prepared, Rows } from './fold-events.ts';
import type { Projection } from './projection.ts';
import { statementsOf } from './statements.ts';
import type { Stretch } from './stretch.ts';
import type { Tables } from './tables.ts';

/** What was there before a stretch, all of one moment. */
export type State = {
  /** Of the progress row as it was read: what was read here holds as long as that row is the same. */
  readonly seen: string;
  readonly streams: ReadonlyMap<string, Continuity>;
  readonly rows: Rows;
};

type Line = [
  seen: string,
  stream: string,
  revision: number | null,
  eventId: string | null,
  reason: string | null,
  parkedRevision: number | null,
  parkedEventId: string | null,
  ...columns: unknown[],
];
const BEFORE_COLUMNS = 7;

/** Reads how far the events' streams came and the rows that they change. @returns null when the progress is elsewhere: stale */
export async function loadState(
  pool: Pool,
  tables: Tables,
  projection: Projection,
  { topic, partition, from }: Stretch,
  events: readonly Prepared[],
): Promise<State | null> {
  const { name, version, columns } = projection;
  const [streams, ids] = wanted(events);
  const { rows: lines } = await pool.query<Line>({
    ...statementsOf(tables, projection).load,
    values: [name, version, topic, partition, from, streams, ids],
    rowMode: 'array',
    types: readModelTypes,
  });
  const first = lines[0];
  if (first === undefined) return null;
  const state = { seen: first[0], streams: new Map<string, Continuity>(), rows: new Map() as Rows };
  const idAt = BEFORE_COLUMNS + columns.indexOf('id');
  for (const line of lines) {
    const known = continuityOf(line);
    if (known !== null) state.streams.set(line[1], known);
    const id = line[idAt];
    if (typeof id === 'string') state.rows.set(id, rowOf(columns, line));
  }
  return state;
}

/** Each stream, and each row with its stream, once. */
function wanted(events: readonly Prepared[]): [streams: string[], ids: (string | null)[]] {
  const streams: string[] = [];
  const ids: (string | null)[] = [];
  const asked = new Set<string>();
  for (const { event, ids: own } of events)
    for (const id of own.length === 0 ? [null] : own) {
      const key = `${event.stream} ${id}`;
      if (asked.has(key)) continue;
      asked.add(key);
      streams.push(event.stream);
      ids.push(id);
    }
  return [streams, ids];
}

function continuityOf([, , revision, eventId, reason, parkedRevision, parkedEventId]: Line): Continuity | null {
  if (revision === null) return null;
  const isParked = reason !== null && parkedRevision !== null && parkedEventId !== null;
  return { revision, eventId, parked: isParked ? { reason, revision: parkedRevision, eventId: parkedEventId } : null };
}

const rowOf = (columns: readonly string[], line: Line): ReadModelRow => {
  const row: Record<string, unknown> = {};
  columns.forEach((name, index) => (row[name] = line[BEFORE_COLUMNS + index]));
  return row as ReadModelRow;
};
