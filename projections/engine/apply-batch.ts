import type { Pool } from 'pg';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { foldEvents, prepare, reasonOf, type Folded, type Prepared } from './fold-events.ts';
import { follows, type Target } from './projection.ts';
import type { Stretch } from './progress.ts';
import { loadState, saveState, type Change } from './state.ts';

/** Of all read models together. */
export type Applied = {
  readonly applied: number;
  readonly parked: readonly (Folded['parked'][number] & { readonly projection: string; readonly version: number })[];
};

/** The events of a stretch that count for one read model. */
type Part = { readonly target: Target; readonly events: readonly Prepared[] };

/**
 * Applies one stretch of events to read models that all stand at its start: progress, continuity, rows, all or nothing.
 * @returns null when the caller is stale: the progress of some stands elsewhere. Nothing was written; or, where some row did not
 *   fit its table, perhaps to others
 * @throws the database's error when it cannot be reached: the same stretch may come again; FromTheFuture, nothing was written
 */
export async function applyBatch(
  pool: Pool,
  targets: readonly Target[],
  stretch: Stretch,
  recorded: readonly RecordedEvent[],
): Promise<Applied | null> {
  const reached = recorded.reduce((most, { position }) => (position > most ? position : most), 0n);
  const parts = targets.map((target) => ({
    target,
    events: recorded
      .filter((event) => follows(target.projection, event))
      .map((event) => prepare(target.projection, event)),
  }));
  try {
    return await applyTogether(pool, stretch, parts, reached);
  } catch (error) {
    if (!isDataError(error)) throw error;
    return inTurn(parts, (part) => applyOneByOne(pool, stretch, part, reached));
  }
}

/** Checks, folds and writes the events: one query a read model for all that is needed, one statement that writes it all. */
async function applyTogether(
  pool: Pool,
  stretch: Stretch,
  parts: readonly Part[],
  reached: bigint,
): Promise<Applied | null> {
  const folded = await Promise.all(
    parts.map(async ({ target, events }) => {
      if (events.length === 0) return { target, changed: null };
      const state = await loadState(pool, target, stretch, events);
      return state && { target, changed: { ...foldEvents(target.projection, events, state), seen: state.seen } };
    }),
  );
  const changes = folded.filter((part) => part !== null);
  if (changes.length < parts.length || !(await saveState(pool, stretch, changes satisfies Change[], reached)))
    return null;
  return {
    applied: changes.reduce((sum, { changed }) => sum + (changed?.applied ?? 0), 0),
    parked: changes.flatMap(({ target: { projection }, changed }) =>
      (changed?.parked ?? []).map((mark) => ({ projection: projection.name, version: projection.version, ...mark })),
    ),
  };
}

/**
 * The slow way, for a batch in which some row does not fit its table: only the stream of that row is stopped. Each event is
 * written on its own, the progress moves with the last: who comes again finds the others applied.
 */
async function applyOneByOne(pool: Pool, stretch: Stretch, part: Part, reached: bigint): Promise<Applied | null> {
  const { target, events } = part;
  if (events.length === 0) return applyTogether(pool, stretch, [part], reached);
  return inTurn([...events.entries()], ([index, event]) => {
    const isLast = index === events.length - 1;
    const own = isLast ? stretch : { ...stretch, next: stretch.from };
    return applyOne(pool, own, target, event, isLast ? reached : 0n);
  });
}

async function applyOne(
  pool: Pool,
  stretch: Stretch,
  target: Target,
  event: Prepared,
  reached: bigint,
): Promise<Applied | null> {
  try {
    return await applyTogether(pool, stretch, [{ target, events: [event] }], reached);
  } catch (error) {
    if (!isDataError(error)) throw error;
    const refused = { ...event, ids: [], unreadable: reasonOf(error) };
    return applyTogether(pool, stretch, [{ target, events: [refused] }], reached);
  }
}

/** One after the other; ends with the first that finds itself stale. */
async function inTurn<Item>(
  items: readonly Item[],
  apply: (item: Item) => Promise<Applied | null>,
): Promise<Applied | null> {
  const outcomes: Applied[] = [];
  for (const item of items) {
    const outcome = await apply(item);
    if (outcome === null) return null;
    outcomes.push(outcome);
  }
  return {
    applied: outcomes.reduce((sum, { applied }) => sum + applied, 0),
    parked: outcomes.flatMap(({ parked }) => parked),
  };
}

/** PostgreSQL refuses the data itself (classes 22 and 23): trying the same again cannot help. */
export const isDataError = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
