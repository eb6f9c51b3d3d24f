import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { foldEvents, prepare, type Rows } from './fold-events.ts';
import type { Projection } from './projection.ts';

/**
 * What a projection makes of these events, in memory: its rows by id.
 * @throws Error when a stream of them would be parked
 */
export function foldAll<Row extends ReadModelRow = ReadModelRow>(
  projection: Projection,
  events: readonly RecordedEvent[],
): Map<string, Row> {
  const prepared = events.map((event) => prepare(projection, event));
  const { rows, parked } = foldEvents(projection, prepared, { streams: new Map(), rows: new Map() as Rows });
  const first = parked[0];
  if (first !== undefined)
    throw new Error(`${first.stream} would be parked at revision ${first.revision}: ${first.reason}`);
  return new Map([...rows].filter(([, row]) => row !== undefined)) as Map<string, Row>;
}
