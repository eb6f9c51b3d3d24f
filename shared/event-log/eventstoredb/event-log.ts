import { checkAppend } from '../check-append.ts';
import type { AppendResult, EventLog } from '../port.ts';
import { append } from './append/append.ts';
import { createAppendStream } from './append/append-stream.ts';
import { createConnection } from './connection/connection.ts';
import { readAll, subscribe, type FollowSettings } from './follow/follow.ts';
import { createHeadReader } from './read/read-head.ts';
import { readStream } from './read/read-stream.ts';

export type EventStoreDbLogOptions = {
  /** `esdb://[user:password@]host:port[?tls=false]`; several hosts or `esdb+discover://` for a cluster. */
  readonly connectionString: string;
  /** How long the server may be silent in one attempt, in milliseconds; default 4,000. */
  readonly answerMilliseconds?: number;
  /**
   * How long an append tries to get over a lost connection before it throws OutcomeUnknown, and a read before it throws
   * ServerAway, in milliseconds; default 8,000.
   */
  readonly patienceMilliseconds?: number;
  /** After so many milliseconds without a word a subscription asks whether there is news; default 15,000. */
  readonly silenceMilliseconds?: number;
  /** Told once when a subscription loses the server; it goes on by itself. */
  readonly onError?: (error: Error) => void;
};

/**
 * Opens the event log in EventStoreDB 23.10 or newer. The server is not called yet: one that is away is waited for by whoever
 * uses the log. A position is a commit position.
 * @throws Error when the connection string cannot be used
 */
export async function createEventStoreDbLog(options: EventStoreDbLogOptions): Promise<EventLog> {
  const connection = createConnection(options.connectionString);
  const answer = options.answerMilliseconds ?? 4_000;
  const patience = options.patienceMilliseconds ?? 8_000;
  const reading = { connection, silence: answer, patience };
  const appending = { connection, appends: createAppendStream(connection), silence: answer, patience };
  /** Of the newest event that this process appended: the log reaches at least there. */
  let appended = 0n;
  const known = (): bigint => appended;
  const head = createHeadReader(reading, known);
  const following: FollowSettings = {
    connection,
    probe: createHeadReader({ ...reading, patience: 0 }, known),
    answer,
    silence: options.silenceMilliseconds ?? 15_000,
    onError: options.onError ?? (() => undefined),
  };
  const closing = new AbortController();
  const running = new Set<Promise<AppendResult>>();

  return {
    append: async (stream, events, expected) => {
      const checked = checkAppend(stream, events, expected);
      if (closing.signal.aborted) throw new Error(`append to ${stream}: the event log is closed`);
      const work = append(appending, checked);
      running.add(work);
      try {
        const result = await work;
        if (result.position > appended) appended = result.position;
        return result;
      } finally {
        running.delete(work);
      }
    },
    readStream: (stream, streamOptions = {}) => readStream(reading, stream, streamOptions),
    readAll: (readOptions = {}) => readAll({ ...following, patience }, head, readOptions, closing.signal),
    subscribe: (subscribeOptions) => {
      const signal = AbortSignal.any([subscribeOptions.signal, closing.signal]);
      return subscribe(following, { ...subscribeOptions, signal });
    },
    head,
    close: async () => {
      closing.abort();
      await Promise.allSettled(running);
      await connection.close();
    },
  };
}
