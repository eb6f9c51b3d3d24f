import { FromTheFuture, upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import type { Projection } from './projection.ts';

/** Why a stream stands still, and at which event. */
type Parked = { readonly reason: string; readonly revision: number; readonly eventId: string };

/** How far a stream came: its last applied event. Revision -1: none yet. */
export type Continuity = { readonly revision: number; readonly eventId: string | null; readonly parked: Parked | null };

export type Rows = Map<string, ReadModelRow | undefined>;

/** What a run of events makes of streams and rows: only what changed. */
export type Folded = {
  readonly streams: ReadonlyMap<string, Continuity>;
  readonly rows: Rows;
  readonly parked: readonly (Parked & { readonly stream: string })[];
  readonly applied: number;
};

const UNSEEN: Continuity = { revision: -1, eventId: null, parked: null };
const REASON_LENGTH = 500;
/** How the reason begins where events are missing. */
export const GAP = 'gap';

/** An event in its current version, with the ids of its rows; or why it cannot be had. */
export type Prepared = {
  readonly event: RecordedEvent;
  readonly ids: readonly string[];
  readonly unreadable: string | null;
};

/** @throws FromTheFuture on what this program does not know: it is not broken, its partition waits */
export function prepare(projection: Projection, recorded: RecordedEvent): Prepared {
  try {
    const event = upcast(recorded);
    return { event, ids: projection.key(event), unreadable: null };
  } catch (error) {
    if (error instanceof FromTheFuture) throw error;
    return { event: recorded, ids: [], unreadable: reasonOf(error) };
  }
}

/**
 * Folds events in memory, each stream in its order: what was applied before is dropped, the next is applied, a gap or another
 * event of the same revision stops that stream, as does a fold that throws. Other streams go on.
 */
export function foldEvents(
  projection: Projection,
  events: readonly Prepared[],
  before: { readonly streams: ReadonlyMap<string, Continuity>; readonly rows: Rows },
): Folded {
  const streams = new Map<string, Continuity>();
  const rows: Rows = new Map();
  const parked: (Parked & { stream: string })[] = [];
  let applied = 0;

  for (const { event, ids, unreadable } of events) {
    const { stream } = event;
    const last = streams.get(stream) ?? before.streams.get(stream) ?? UNSEEN;
    if (last.parked !== null || isRepeat(last, event)) continue;
    const reason = breach(last, event) ?? unreadable ?? apply(event, ids);
    if (reason === null) {
      streams.set(stream, { revision: event.revision, eventId: event.id, parked: null });
      applied++;
    } else {
      const mark = { reason, revision: event.revision, eventId: event.id };
      streams.set(stream, { ...last, parked: mark });
      parked.push({ stream, ...mark });
    }
  }
  return { streams, rows, parked, applied };

  function apply(event: RecordedEvent, ids: readonly string[]): string | null {
    try {
      const changes = ids.map((id) => {
        const row = projection.fold(rows.has(id) ? rows.get(id) : before.rows.get(id), event, id);
        return [id, row] as const;
      });
      for (const [id, row] of changes) rows.set(id, row);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }
}

const isRepeat = (last: Continuity, event: RecordedEvent): boolean =>
  event.revision < last.revision || (event.revision === last.revision && event.id === last.eventId);

function breach(last: Continuity, event: RecordedEvent): string | null {
  if (event.revision === last.revision)
    return `conflict: revision ${event.revision} is event ${event.id}, but ${last.eventId} was applied under it`;
  if (event.revision > last.revision + 1)
    return `${GAP}: revision ${event.revision} came, but ${last.revision + 1} was never seen`;
  return null;
}

/** Short, and without a stack: it is kept in a table and shown to people. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    .replaceAll('\u0000', '')
    .slice(0, REASON_LENGTH);
