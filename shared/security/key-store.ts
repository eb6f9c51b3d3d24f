import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { readState } from '../aggregate/read-state.ts';
import { keyFold, type KeyState } from '../contexts/agent/key/state.ts';
import type { EventLog } from '../event-log/port.ts';

export type StoredKey = NonNullable<KeyState>;

export type KeyStore = {
  /** The key, at most `maxAge` old; null when there is none. At once when it is known, else a promise. */
  find(keyId: string): StoredKey | null | Promise<StoredKey | null>;
  /** The next `find` reads the log. */
  forget(keyId: string): void;
  /** Call it when a key was revoked. Resolves when no process lets it in any more: what others have kept is too old by then. */
  forgetEverywhere(keyId: string): Promise<void>;
};

const MAX_AGE = 1_000;
const MAX_KEYS = 10_000;

type Entry = { key: StoredKey | null | Promise<StoredKey | null>; readonly loadedAt: number };

/**
 * Keys from the log, kept for a second: who revokes one waits that second before answering, so that from the answer on every
 * process refuses it, without a subscription that could fall behind unseen. Requests under one key share one read.
 * @param maxAge milliseconds, counted from before the read
 */
export function createKeyStore(log: EventLog, { maxAge = MAX_AGE } = {}): KeyStore {
  const cache = new LRUCache<string, Entry>({ max: MAX_KEYS });

  const load = (keyId: string): Promise<StoredKey | null> => {
    const before = cache.peek(keyId)?.key ?? null;
    // A key is revoked, and never gone.
    const reaches = before !== null && !(before instanceof Promise) ? 0 : -1;
    const reading = readState(log, keyFold, keyId, reaches);
    const entry: Entry = { key: reading, loadedAt: performance.now() };
    cache.set(keyId, entry);
    reading.then(
      (key) => (entry.key = key),
      () => cache.peek(keyId) === entry && cache.delete(keyId),
    );
    return reading;
  };

  const forget = (keyId: string): void => void cache.delete(keyId);

  return {
    find: (keyId) => {
      const entry = cache.get(keyId);
      return entry !== undefined && performance.now() - entry.loadedAt < maxAge ? entry.key : load(keyId);
    },
    forget,
    forgetEverywhere: async (keyId) => {
      forget(keyId);
      await pause(maxAge);
    },
  };
}
