import { EventStoreDBClient } from '@eventstore/db-client';
import { pause } from '../../../resilience/pause.ts';
import { Refused } from './failures.ts';
import { checkConnectionString, withOwnConnection } from './connection-string.ts';

export type Connection = {
  /** The client of the moment. @throws Refused after close */
  client(): EventStoreDBClient;
  /** Runs one bounded call: its client is not let go before the call has ended. @throws Refused after close; what the call throws */
  call<Result>(run: (client: EventStoreDBClient) => Promise<Result>): Promise<Result>;
  /**
   * Gives up a client that does not answer: the next call gets a new one. What runs on the old one keeps its own time; then the
   * old one is let go, and subscriptions that are still on it end.
   */
  renew(failed: EventStoreDBClient): void;
  close(): Promise<void>;
};

/** How long a client may take to let go of what runs on it, in milliseconds. */
const LET_GO = 2_000;
const MOST_NUMBERS = 1_000;
/** Clients that this process opened: they must not share a connection. */
let opened = 0;

/**
 * Holds the client; no call is made yet, so the server may be away. The client replaces its channel by itself when the server
 * says that it is unavailable; only a connection that is silent needs `renew`.
 * @throws Error when the connection string cannot be used; it never repeats the string
 */
export function createConnection(connectionString: string): Connection {
  checkConnectionString(connectionString);
  const open = (): EventStoreDBClient => {
    try {
      opened = (opened + 1) % MOST_NUMBERS;
      return EventStoreDBClient.connectionString(withOwnConnection(connectionString, opened));
    } catch {
      // The client's own error carries the whole string.
      throw new Error('EventStoreDB connection string: use esdb://[user:password@]host:port[?tls=false]');
    }
  };
  let current: EventStoreDBClient | null = open();
  const calls = new Map<EventStoreDBClient, number>();
  const retired = new Set<EventStoreDBClient>();
  const leaving = new Set<Promise<void>>();

  const client = (): EventStoreDBClient => {
    if (current === null) throw new Refused('the event log is closed');
    return current;
  };
  const letGoNow = (old: EventStoreDBClient): void => {
    retired.delete(old);
    const left = letGo(old).finally(() => leaving.delete(left));
    leaving.add(left);
  };
  const count = (of: EventStoreDBClient, change: 1 | -1): void => {
    const left = (calls.get(of) ?? 0) + change;
    if (left > 0) calls.set(of, left);
    else calls.delete(of);
    if (left === 0 && retired.has(of)) letGoNow(of);
  };

  return {
    client,
    call: async (run) => {
      const mine = client();
      count(mine, 1);
      try {
        return await run(mine);
      } finally {
        count(mine, -1);
      }
    },
    renew: (failed) => {
      if (failed !== current) return;
      current = open();
      retired.add(failed);
      if (!calls.has(failed)) letGoNow(failed);
    },
    close: async () => {
      if (current !== null) retired.add(current);
      current = null;
      for (const old of [...retired]) letGoNow(old);
      await Promise.all(leaving);
    },
  };
}

/** Without `dispose` a process that appended never ends; without closing the channel its socket stays. */
async function letGo(client: EventStoreDBClient): Promise<void> {
  const waiting = new AbortController();
  await Promise.race([disposeOf(client), pause(LET_GO, waiting.signal)]);
  waiting.abort();
}

async function disposeOf(client: EventStoreDBClient): Promise<void> {
  await client.dispose();
  try {
    const channel = await client['getChannel']();
    channel.close();
  } catch {
    // No channel could be made, or it is closed already.
  }
}
