import type { RecordedEvent } from './recorded-event.ts';

/** A recorded event as JSON has it: the position as a text, since it may be larger than a JavaScript number. */
export type EventJson = Omit<RecordedEvent, 'position' | 'recordedAt'> & {
  readonly position: string;
  readonly recordedAt: string;
};

export const eventJson = ({
  id,
  type,
  version,
  stream,
  revision,
  position,
  recordedAt,
  data,
  metadata,
}: RecordedEvent): EventJson => ({
  id,
  type,
  version,
  stream,
  revision,
  position: String(position),
  recordedAt: recordedAt.toISOString(),
  data,
  metadata,
});
