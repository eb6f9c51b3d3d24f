import { eventTypeFilter, excludeSystemEvents, streamNameFilter } from '@eventstore/db-client';
import type { Filter } from '@eventstore/db-client';
import type { RecordedEvent } from '../../../events/recorded-event.ts';
import { streamType } from '../../../contexts/stream.ts';
import type { EventFilter } from '../../port.ts';

/** Of how many windows of 32 events that the server looked through it tells the last one, so that a long search is no silence. */
const CHECKPOINT_INTERVAL = 32;

/**
 * What the server leaves out: it takes one condition only, and only prefixes of names, so `passes` looks at the rest. Neither
 * a stream nor an event type of the server's own begins with a letter.
 * @param onCheckpoint called with the commit position behind which the server goes on
 */
export function toServerFilter({ types, streams }: EventFilter, onCheckpoint: (commit: bigint) => void): Filter {
  const options = {
    checkpointInterval: CHECKPOINT_INTERVAL,
    checkpointReached: async (_subscription: unknown, { commit }: { commit: bigint }): Promise<void> =>
      onCheckpoint(commit),
  };
  if (streams !== undefined && streams.length > 0)
    return streamNameFilter({ ...options, prefixes: streams.map((type) => `${type}-`) });
  if (types !== undefined && types.length > 0) return eventTypeFilter({ ...options, prefixes: [...types] });
  return excludeSystemEvents(options);
}

/** Whether an event is one that was asked for. */
export function toTest({ types, streams }: EventFilter): (event: RecordedEvent) => boolean {
  const wantedTypes = types === undefined ? null : new Set(types);
  const wantedStreams = streams === undefined ? null : new Set(streams);
  return ({ type, stream }) =>
    (wantedTypes === null || wantedTypes.has(type)) &&
    (wantedStreams === null || wantedStreams.has(streamType(stream)));
}
