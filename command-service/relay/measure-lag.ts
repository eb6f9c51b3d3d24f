import { streamTypesOf, contexts } from '@workledger/shared/events/catalogue.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

export type Lag = {
  /** How far the log's head is ahead of the checkpoint. */
  readonly positions: bigint;
  /** When the oldest event was recorded that is not yet published; null when there is none. */
  readonly oldest: Date | null;
};

const published = contexts.flatMap(streamTypesOf);

/** How far a checkpoint is behind the log. */
export async function measureLag(
  log: Pick<EventLog, 'head' | 'readAll'>,
  checkpoint: bigint,
  signal: AbortSignal,
): Promise<Lag> {
  const head = await log.head();
  if (head <= checkpoint) return { positions: 0n, oldest: null };
  const positions = head - checkpoint;
  for await (const event of log.readAll({ after: checkpoint, until: head, streams: published, signal }))
    return { positions, oldest: event.recordedAt };
  return { positions, oldest: null };
}
