import { expect } from 'vitest';
import { RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyEvents, collect } from '../../testing/events/any-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';

/** Appends two events, lets a second writer fail, and reads the stream. @returns the revisions that were read */
export async function appendsAndReads(log: EventLog): Promise<number[]> {
  const stream = streamName('task', newId());
  await log.append(stream, anyEvents(2), 'none');
  await expect(log.append(stream, anyEvents(1), 'none')).rejects.toThrow(RevisionConflict);
  return (await collect(log.readStream(stream))).map(({ revision }) => revision);
}
