import { contexts, streamTypesOf } from '@workledger/shared/events/catalogue.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { streamType } from '@workledger/shared/contexts/stream.ts';
import type { ReadModel, ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** A stream type's events as the log gives them back: what a fold sees. */
export type Recorded<Event extends DomainEvent> =
  Event extends DomainEvent<infer Type, infer Data> ? RecordedEvent<Type, Data> : never;

/**
 * A table and a pure fold. A row belongs to one stream, so the result does not depend on how streams interleave; counts and
 * joins are SQL at query time. An event that the fold has no use for still counts for continuity.
 */
export type Projection<Row extends ReadModelRow = ReadModelRow, Event extends RecordedEvent = RecordedEvent> = Omit<
  ReadModel,
  'columns'
> & {
  readonly columns: readonly string[];
  /** What makes and changes its tables, each named by a number of its own among those of all read models. */
  readonly migrations: readonly Migration[];
  /** Ids of the rows that the event is about; none: it changes nothing. */
  key(event: Event): readonly string[];
  /** The row after the event; undefined removes it. A throw parks the event's stream. */
  fold(row: Row | undefined, event: Event, id: string): Row | undefined;
};

/** Declares a projection: the read model that it fills, and how. */
export const defineProjection = <Row extends ReadModelRow, Event extends RecordedEvent>(
  model: ReadModel<Row>,
  how: Pick<Projection<Row, Event>, 'migrations' | 'key' | 'fold'>,
): Projection => ({ ...model, ...how });

/** The first event of a stream makes the row: any other event needs it. @throws Error when it is missing */
export function existing<Row>(row: Row | undefined, event: RecordedEvent): Row {
  if (row === undefined)
    throw new Error(`${event.type} of ${event.stream} at revision ${event.revision}: there is no row yet`);
  return row;
}

/** Whether the event counts for the projection. */
export const follows = ({ streams }: Projection, { stream }: RecordedEvent): boolean =>
  streams.includes(streamType(stream));

/** The topics of the bus that carry the projection's streams. */
export const topicsOf = ({ streams }: Projection): readonly Context[] =>
  contexts.filter((context) => streamTypesOf(context).some((type) => streams.includes(type)));

/** Adds costs in US dollars; null is "nobody told", which adds nothing. */
export const addCost = (sum: number | null, cost: number | null): number | null =>
  cost === null ? sum : (sum ?? 0) + cost;

/** The schema of the live read models. A rebuild for comparison has its own. */
export const LIVE = 'read_models';

/** A projection, and where it keeps what. */
export type Target = {
  readonly projection: Projection;
  readonly rows: string;
  /** How far it came in each partition, and in each stream; which topics the former is about. */
  readonly progress: string;
  readonly streams: string;
  readonly topics: string;
};

export const targetOf = (projection: Projection, schema: string = LIVE): Target => ({
  projection,
  rows: `${schema}.${projection.table}_v${projection.version}`,
  progress: `${schema}.progress`,
  streams: `${schema}.streams`,
  topics: `${schema}.topics`,
});
