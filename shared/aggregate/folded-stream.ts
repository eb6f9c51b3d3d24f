import type { EventLog } from '../event-log/port.ts';
import { readKnown } from '../event-log/read-known.ts';
import { upcast } from '../events/codec.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';
import { type CommandMemory, remember } from './command-memory.ts';

/** A stream as far as it was read. It only ever moves forward, so any number of callers may share one. */
export type FoldedStream<State> = {
  readonly stream: string;
  state: State;
  /** Of the last event folded in; -1 before the first. */
  revision: number;
  /** Of the last event folded in; empty before the first. */
  eventId: string;
  commands: CommandMemory;
  /** The last snapshot of it: its revision (-1: there is none), and its length in characters. */
  snapshot: { readonly revision: number; readonly length: number };
};

type Foldable = DomainEvent & Pick<RecordedEvent, 'id' | 'revision' | 'recordedAt' | 'metadata'>;
export type Evolve<State, Event> = (state: State, event: Event) => State;

export const emptyStream = <State>(stream: string, initial: State): FoldedStream<State> => ({
  stream,
  state: initial,
  revision: -1,
  eventId: '',
  commands: { creation: null, recent: new Map() },
  snapshot: { revision: -1, length: 0 },
});

/**
 * Folds in one event; one that is already in changes nothing.
 * @param now milliseconds since 1970: what commands are remembered by
 * @throws RangeError on a gap: the caller's log or its own bookkeeping is wrong
 */
export function foldEvent<State, Event extends DomainEvent>(
  folded: FoldedStream<State>,
  evolve: Evolve<State, Event>,
  event: Foldable,
  now: number,
): void {
  if (event.revision <= folded.revision) return;
  if (event.revision !== folded.revision + 1)
    throw new RangeError(`${folded.stream}: revision ${event.revision} came after ${folded.revision}`);
  folded.state = evolve(folded.state, event as DomainEvent as Event);
  folded.revision = event.revision;
  folded.eventId = event.id;
  remember(folded.commands, event, now);
}

/**
 * Reads what the log has beyond what is folded in.
 * @param reaches a revision that the stream has for certain @throws LogBehind
 */
export async function readOn<State, Event extends DomainEvent>(
  log: EventLog,
  folded: FoldedStream<State>,
  evolve: Evolve<State, Event>,
  now: number,
  reaches = -1,
): Promise<void> {
  for await (const event of readKnown(log, folded.stream, { from: folded.revision + 1, reaches }))
    foldEvent(folded, evolve, upcast(event), now);
}
