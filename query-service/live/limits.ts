import { Problem } from '@workledger/shared/http/problem.ts';

/** What one key, and all together, can take of a process. */
export type LiveLimits = {
  readonly connections: number;
  readonly connectionsOfKey: number;
  /** Feeds on one connection. */
  readonly subscriptions: number;
  /** Frames a second that come from one key, on all its connections. */
  readonly framesPerSecond: number;
  /** Bytes of a frame. */
  readonly frameBytes: number;
  /** Events that are looked through for one who comes back; beyond, it begins anew. */
  readonly replayed: number;
};

const LIMITS: LiveLimits = {
  connections: 3_000,
  connectionsOfKey: 50,
  subscriptions: 100,
  framesPerSecond: 20,
  frameBytes: 512 * 1024,
  replayed: 20_000,
};

export function createLimits(changed: Partial<LiveLimits> = {}) {
  const limits = { ...LIMITS, ...changed };
  const byKey = new Map<string, { connections: number; frames: number; second: number }>();
  let all = 0;
  return {
    frameBytes: limits.frameBytes,
    replayed: limits.replayed,
    /** @throws Problem `too-many-connections` */
    enter: (keyId: string): void => {
      const known = byKey.get(keyId) ?? { connections: 0, frames: 0, second: 0 };
      if (all >= limits.connections || known.connections >= limits.connectionsOfKey)
        throw new Problem('too-many-connections', 'too many live connections: close one, or ask again later', {
          headers: { 'Retry-After': '5' },
        });
      all++;
      known.connections++;
      byKey.set(keyId, known);
    },
    leave: (keyId: string): void => {
      const known = byKey.get(keyId);
      if (known === undefined) return;
      all--;
      known.connections--;
      if (known.connections === 0) byKey.delete(keyId);
    },
    /** @param count feeds that it would have @throws Problem `out-of-range` */
    subscribe: (count: number): void => {
      if (count > limits.subscriptions)
        throw new Problem('out-of-range', `at most ${limits.subscriptions} feeds on one connection`);
    },
    /** Whether one more frame of this key is taken in this second. */
    takes: (keyId: string): boolean => {
      const known = byKey.get(keyId);
      if (known === undefined) return false;
      const second = Math.floor(performance.now() / 1_000);
      if (known.second !== second) Object.assign(known, { second, frames: 0 });
      return ++known.frames <= limits.framesPerSecond;
    },
  };
}
