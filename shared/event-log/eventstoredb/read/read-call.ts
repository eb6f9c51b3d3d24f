import type { EventStoreDBClient, StreamingRead } from '@eventstore/db-client';
import { backOff, pause } from '../../../resilience/pause.ts';
import type { Connection } from '../connection/connection.ts';
import { isPassing, ServerAway, typeOf, Unanswered } from '../connection/failures.ts';

export type ReadCall<Event> = (client: EventStoreDBClient) => StreamingRead<Event>;

export type ReadSettings = {
  readonly connection: Connection;
  /** How long the server may be silent, in milliseconds. */
  readonly silence: number;
  /** How long a read tries again while the server is away, in milliseconds. */
  readonly patience: number;
};

/**
 * All events of a bounded read; none when the stream does not exist. A server that is away is asked again for a while.
 * @param what names the read in errors
 * @throws ServerAway; the signal's reason; the client's error for what no retry can mend
 */
export async function readPatiently<Event>(
  { connection, silence, patience }: ReadSettings,
  what: string,
  read: ReadCall<Event>,
  signal?: AbortSignal,
): Promise<Event[]> {
  const giveUpAt = performance.now() + patience;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const left = attempt === 0 ? silence : Math.max(1, giveUpAt - performance.now());
    try {
      return await readOnce(connection, what, read, Math.min(silence, left));
    } catch (error) {
      if (!isPassing(error)) throw error;
      const wait = backOff(attempt, 50, 1_000);
      if (performance.now() + wait >= giveUpAt) throw new ServerAway(what, error);
      await pause(wait, signal);
    }
  }
}

/** One attempt, bounded by our own deadline: neither the client nor a frozen server has one for reads. */
export async function readOnce<Event>(
  connection: Connection,
  what: string,
  read: ReadCall<Event>,
  silence: number,
): Promise<Event[]> {
  const client = connection.client();
  const reading = read(client);
  // An error may also come when nobody reads any more.
  reading.on('error', () => undefined);
  const timer = setTimeout(() => reading.destroy(new Unanswered(what, silence)), silence);
  const events: Event[] = [];
  let isComplete = false;
  try {
    for await (const event of reading) {
      timer.refresh();
      events.push(event);
    }
    isComplete = true;
  } catch (error) {
    if (typeOf(error) === 'stream-not-found') return [];
    if (error instanceof Unanswered) connection.renew(client);
    throw error;
  } finally {
    clearTimeout(timer);
    if (!isComplete) reading.cancel().catch(() => undefined);
  }
  return events;
}
