import type { Pool } from 'pg';
import { isDataError } from './data-error.ts';
import { foldEvents, reasonOf, type Folded, type Prepared } from './fold-events.ts';
import { loadState } from './load-state.ts';
import type { Projection } from './projection.ts';
import { moveOnly, saveState } from './save-state.ts';
import type { Stretch } from './stretch.ts';
import type { Tables } from './tables.ts';

export type Applied = Pick<Folded, 'parked' | 'applied'>;

/** @returns null when the progress is not where the stretch begins: stale, nothing was written */
type ApplyEvents = (
  pool: Pool,
  tables: Tables,
  projection: Projection,
  stretch: Stretch,
  events: readonly Prepared[],
) => Promise<Applied | null>;

/** Checks, folds and writes the events: one query for all that is needed, one statement that writes it all. */
export const applyTogether: ApplyEvents = async (pool, tables, projection, stretch, events) => {
  if (events.length === 0)
    return (await moveOnly(pool, tables, projection, stretch)) ? { parked: [], applied: 0 } : null;
  const state = await loadState(pool, tables, projection, stretch, events);
  if (state === null) return null;
  const folded = foldEvents(projection, events, state);
  return (await saveState(pool, tables, projection, stretch, state.seen, folded)) ? folded : null;
};

/**
 * The slow way, for a batch in which some row does not fit its table: only the stream of that row is stopped. Each event is
 * written on its own, the progress moves with the last: who comes again finds the others applied.
 */
export const applyOneByOne: ApplyEvents = async (pool, tables, projection, stretch, events) => {
  const outcomes: Applied[] = [];
  for (const [index, event] of events.entries()) {
    const own = index === events.length - 1 ? stretch : { ...stretch, next: stretch.from };
    const outcome = await applyOne(pool, tables, projection, own, event);
    if (outcome === null) return null;
    outcomes.push(outcome);
  }
  return {
    parked: outcomes.flatMap(({ parked }) => parked),
    applied: outcomes.reduce((sum, { applied }) => sum + applied, 0),
  };
};

async function applyOne(
  pool: Pool,
  tables: Tables,
  projection: Projection,
  stretch: Stretch,
  event: Prepared,
): Promise<Applied | null> {
  try {
    return await applyTogether(pool, tables, projection, stretch, [event]);
  } catch (error) {
    if (!isDataError(error)) throw error;
    const refused = { ...event, ids: [], unreadable: reasonOf(error) };
    return applyTogether(pool, tables, projection, stretch, [refused]);
  }
}
