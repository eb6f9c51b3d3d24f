import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { readState } from '../aggregate/read-state.ts';
import type { UserAccess, UserEvent } from '../contexts/agent/user/events.ts';
import { keyFold, type KeyState } from '../contexts/agent/key/state.ts';
import { streamName } from '../contexts/stream.ts';
import { LogBehind } from '../event-log/errors.ts';
import type { EventLog } from '../event-log/port.ts';
import { upcast } from '../events/codec.ts';
import { noMacs, type KeyMacs } from './key-macs.ts';

/** The hash of a key's secret that is kept outside the log; null: there is none of that name. Throws while its store is away. */
export type SecretHashOf = (keyId: string, secretId: string) => Promise<string | null>;

/** Its `secretHash` is null: there is none any more, and it is refused. */
export type StoredKey = NonNullable<KeyState> & {
  /** The agent that it speaks for is deregistered: what is left of its keys is about to be revoked. */
  readonly agentIsGone: boolean;
  /** What its user may do as of now; null: it is nobody's. */
  readonly user: UserAccess | null;
};

export type KeyStore = {
  /** With which new keys are made, and keys are checked before they are looked up here. */
  readonly macs: KeyMacs;
  /** The key, at most `maxAge` old; null when there is none. At once when it is known, else a promise. */
  find(keyId: string): StoredKey | null | Promise<StoredKey | null>;
  /** Whether it is known to be in the log. */
  knows(keyId: string): boolean;
  /** The next `find` reads the log. */
  forget(keyId: string): void;
  /**
   * Call it when a key was revoked, or what an agent or a user may do was taken. Resolves when no process lets it in any more: what
   * others have kept is too old by then.
   * @param keyId left out: any key
   */
  forgetEverywhere(keyId?: string): Promise<void>;
};

const MAX_AGE = 1_000;
const MAX_KEYS = 10_000;

type Log = Pick<EventLog, 'readStream'>;

export type KeyStoreOptions = {
  readonly maxAge?: number;
  readonly macs?: KeyMacs;
  readonly secretHashOf?: SecretHashOf;
};

type Entry = { key: StoredKey | null | Promise<StoredKey | null>; readonly loadedAt: number };

/**
 * Keys from the log, kept for a second: who revokes one waits that second before answering, so that from the answer on every
 * process refuses it, without a subscription that could fall behind unseen. Requests under one key share one read.
 * @param options maxAge: milliseconds, counted from before the read; secretHashOf: left out, there are no secrets outside the log
 */
export function createKeyStore(log: Log, options: KeyStoreOptions = {}): KeyStore {
  const { maxAge = MAX_AGE, macs = noMacs, secretHashOf = async () => null } = options;
  const cache = new LRUCache<string, Entry>({ max: MAX_KEYS });

  const load = (keyId: string): Promise<StoredKey | null> => {
    const before = cache.peek(keyId)?.key ?? null;
    // A key is revoked, and never gone.
    const reaches = before !== null && !(before instanceof Promise) ? 0 : -1;
    const reading = readKey(log, secretHashOf, keyId, reaches);
    const entry: Entry = { key: reading, loadedAt: performance.now() };
    cache.set(keyId, entry);
    reading.then(
      (key) => {
        entry.key = key;
        // What is not there takes no place from what is.
        if (key === null && cache.peek(keyId) === entry) cache.delete(keyId);
      },
      () => cache.peek(keyId) === entry && cache.delete(keyId),
    );
    return reading;
  };

  const forget = (keyId: string): void => void cache.delete(keyId);

  return {
    macs,
    knows: (keyId) => {
      const key = cache.peek(keyId)?.key ?? null;
      return key !== null && !(key instanceof Promise);
    },
    find: (keyId) => {
      const entry = cache.get(keyId);
      return entry !== undefined && performance.now() - entry.loadedAt < maxAge ? entry.key : load(keyId);
    },
    forget,
    forgetEverywhere: async (keyId) => {
      if (keyId === undefined) cache.clear();
      else forget(keyId);
      await pause(maxAge);
    },
  };
}

async function readKey(
  log: Log,
  secretHashOf: SecretHashOf,
  keyId: string,
  reaches: number,
): Promise<StoredKey | null> {
  const key = await readState(log, keyFold, keyId, reaches);
  if (key === null) return null;
  const speaksFor = key.role === 'agent' && !key.revoked ? key.agentId : null;
  const agentIsGone = speaksFor !== null && (await isDeregistered(log, speaksFor));
  const user = key.userId === null || key.revoked ? null : await accessOf(log, key.userId);
  // With its revocation the row goes.
  const isElsewhere = key.secretId !== null && !key.revoked;
  const secretHash = isElsewhere ? await secretHashOf(keyId, key.secretId) : key.secretHash;
  return { ...key, secretHash, agentIsGone, user };
}

/** What a user may do: each event has all of it, so the last one tells. @throws LogBehind: a key of theirs was made, so they are there */
async function accessOf(log: Log, userId: string): Promise<UserAccess> {
  const stream = streamName('user', userId);
  for await (const event of log.readStream(stream, { direction: 'backward', limit: 1 }))
    return (upcast(event) as UserEvent).data.access;
  throw new LogBehind(stream, 0, 'none');
}

const AT_ONCE = 8;

/**
 * Whether an agent is deregistered, by the end of its stream, however long that is: after its deregistration only what it still held
 * is released, and that is never more than its capacity.
 */
export async function isDeregistered(log: Log, agentId: string): Promise<boolean> {
  const stream = streamName('agent', agentId);
  for (let from: number | undefined, isOver = false; !isOver;) {
    isOver = true;
    const page = { direction: 'backward', limit: AT_ONCE, ...(from !== undefined && { from }) } as const;
    for await (const { type, revision } of log.readStream(stream, page)) {
      if (type !== 'AgentReleased') return type === 'AgentDeregistered';
      from = revision - 1;
      isOver = revision === 0;
    }
  }
  return false;
}
