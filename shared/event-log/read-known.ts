import type { RecordedEvent } from '../events/recorded-event.ts';
import { LogBehind } from './errors.ts';
import type { EventLog } from './port.ts';

/**
 * Events of a stream that is known to reach a revision: nobody who acts on the log may take "nothing there" for true where the log
 * said that there is something.
 * @param from first revision to give @param reaches a revision that the stream has for certain; -1: nothing is known
 * @throws LogBehind after the last event, when it does not get there
 */
export async function* readKnown(
  log: Pick<EventLog, 'readStream'>,
  stream: string,
  { from, reaches }: { readonly from: number; readonly reaches: number },
): AsyncGenerator<RecordedEvent> {
  let last = from - 1;
  for await (const event of log.readStream(stream, { from })) {
    last = event.revision;
    yield event;
  }
  if (last < reaches) throw new LogBehind(stream, reaches, last < 0 ? 'none' : last);
}
