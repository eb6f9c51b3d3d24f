import { upcast } from '../events/codec.ts';
import type { DomainEvent, Fold } from '../contexts/define-events.ts';
import { streamName } from '../contexts/stream.ts';
import { readKnown } from '../event-log/read-known.ts';
import type { EventLog } from '../event-log/port.ts';

type Log = Pick<EventLog, 'readStream'>;

/**
 * State of one stream as the log has it now, upcast.
 * @param reaches a revision that it has for certain; default: nothing is known @throws LogBehind when it does not get there
 */
export const readState = <State, Event extends DomainEvent>(
  log: Log,
  fold: Fold<State, Event>,
  id: string,
  reaches = -1,
): Promise<State> => followState(log, fold, id, reaches)();

/** The same again and again: each call reads only what came since the one before. */
export function followState<State, Event extends DomainEvent>(
  log: Log,
  { type, initial, evolve }: Fold<State, Event>,
  id: string,
  reaches = -1,
): () => Promise<State> {
  const stream = streamName(type, id);
  let state = initial;
  let next = 0;
  return async () => {
    for await (const recorded of readKnown(log, stream, { from: next, reaches })) {
      state = evolve(state, upcast(recorded) as DomainEvent as Event);
      next = recorded.revision + 1;
    }
    return state;
  };
}
