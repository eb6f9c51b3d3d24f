import type { Pool } from 'pg';
import { snakeCase, type ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { readModelTypes } from '@workledger/shared/read-models/select-rows.ts';
import type { Continuity, Folded, Prepared, Rows } from './fold-events.ts';
import type { Target } from './projection.ts';
import type { Stretch } from './progress.ts';
import { loadStatement, saveStatement } from './statements.ts';

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
  pool: Pick<Pool, 'query'>,
  target: Target,
  { topic, partition, from }: Stretch,
  events: readonly Prepared[],
): Promise<State | null> {
  const { name, version, columns } = target.projection;
  const [streams, ids] = wanted(events);
  const { rows: lines } = await pool.query<Line>({
    ...loadStatement(target),
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

/** What a stretch makes of one read model; null: it has nothing that counts there. */
export type Change = {
  readonly target: Target;
  readonly changed: (Pick<Folded, 'streams' | 'rows'> & Pick<State, 'seen'>) | null;
};

/**
 * Writes rows, continuity and progress of all these read models in one statement: all or nothing.
 * @param reached the highest position of the log in the stretch; 0: it has no events
 * @returns false when some progress row is another one now: whoever asks is stale, nothing was written
 */
export async function saveState(
  pool: Pick<Pool, 'query'>,
  { topic, partition, from, next }: Stretch,
  changes: readonly Change[],
  reached: bigint,
): Promise<boolean> {
  const [first] = changes;
  if (first === undefined) return true;
  const { progress, streams } = first.target;
  const written = changes.flatMap(({ target, changed }) =>
    changed === null || changed.streams.size === 0 ? [] : [{ target, ...changed, ...rowsOf(target, changed.rows) }],
  );
  const states = written.flatMap((own) => [...own.streams].map(([stream, state]) => ({ ...own, stream, state })));
  const { rowCount } = await pool.query({
    ...saveStatement(
      progress,
      streams,
      written.map(({ target, removed }) => ({ target, removes: removed.length > 0 })),
    ),
    values: [
      ...[topic, partition, from, next],
      changes.map(({ target }) => target.projection.name),
      changes.map(({ target }) => target.projection.version),
      changes.map(({ changed }) => changed?.seen ?? null),
      reached,
      ...(written.length === 0
        ? []
        : [
            states.map(({ target }) => target.projection.name),
            states.map(({ target }) => target.projection.version),
            states.map(({ stream }) => stream),
            states.map(({ state }) => state.revision),
            states.map(({ state }) => state.eventId),
            states.map(({ state }) => state.parked?.reason ?? null),
            states.map(({ state }) => state.parked?.revision ?? null),
            states.map(({ state }) => state.parked?.eventId ?? null),
          ]),
      ...written.flatMap(({ records, removed }) => (removed.length > 0 ? [records, removed] : [records])),
    ],
  });
  return rowCount === 1;
}

/** The rows as one JSON text, and the ids of those that go. */
function rowsOf({ projection }: Target, rows: Rows): { records: string; removed: string[] } {
  const names = projection.columns.map((column) => [column, snakeCase(column)] as const);
  const records: string[] = [];
  const removed: string[] = [];
  for (const [id, row] of rows) {
    if (row === undefined) removed.push(id);
    else records.push(JSON.stringify(record(row, names)));
  }
  return { records: `[${records.join(',')}]`, removed };
}

const record = (row: ReadModelRow, names: readonly (readonly [string, string])[]): Record<string, unknown> => {
  const fields = row as Readonly<Record<string, unknown>>;
  const own: Record<string, unknown> = {};
  for (const [name, column] of names) own[column] = fields[name];
  return own;
};
