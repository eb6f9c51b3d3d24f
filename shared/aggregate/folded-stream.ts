import type { EventLog } from '../event-log/port.ts';
import { readKnown } from '../event-log/read-known.ts';
import { upcast } from '../events/codec.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import type { EventMetadata } from '../events/recorded-event.ts';

/** What a command led to: the revision after it, and the hash of what it said. */
export type Remembered = { readonly revision: number; readonly hash: string };

/** A stream as far as it was read. It only ever moves forward, so any number of callers may share one. */
export type FoldedStream<State> = {
  readonly stream: string;
  state: State;
  /** Of the last event folded in; -1 before the first. */
  revision: number;
  readonly commands: Map<string, Remembered>;
};

type Foldable = DomainEvent & { readonly revision: number; readonly metadata: EventMetadata };
type Evolve<State, Event> = (state: State, event: Event) => State;

export const emptyStream = <State>(stream: string, initial: State): FoldedStream<State> => ({
  stream,
  state: initial,
  revision: -1,
  commands: new Map(),
});

/**
 * Folds in one event; one that is already in changes nothing.
 * @throws RangeError on a gap: the caller's log or its own bookkeeping is wrong
 */
export function foldEvent<State, Event extends DomainEvent>(
  folded: FoldedStream<State>,
  evolve: Evolve<State, Event>,
  event: Foldable,
): void {
  if (event.revision <= folded.revision) return;
  if (event.revision !== folded.revision + 1)
    throw new RangeError(`${folded.stream}: revision ${event.revision} came after ${folded.revision}`);
  folded.state = evolve(folded.state, event as DomainEvent as Event);
  folded.revision = event.revision;
  folded.commands.set(event.metadata.commandId, { revision: event.revision, hash: event.metadata.commandHash });
}

/**
 * Reads what the log has beyond what is folded in.
 * @param reaches a revision that the stream has for certain @throws LogBehind
 */
export async function readOn<State, Event extends DomainEvent>(
  log: EventLog,
  folded: FoldedStream<State>,
  evolve: Evolve<State, Event>,
  reaches = -1,
): Promise<void> {
  for await (const event of readKnown(log, folded.stream, { from: folded.revision + 1, reaches }))
    foldEvent(folded, evolve, upcast(event));
}
