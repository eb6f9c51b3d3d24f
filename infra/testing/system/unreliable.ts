import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@workledger/shared/client/client.ts';
import { createRandom } from '../events/random.ts';

export type Answered = { readonly status: number; readonly body: Record<string, unknown> };
export type Unreliable = {
  /** One request, which may be broken off, come twice, or stay without its answer; null: there is none. */
  ask(path: string, body: unknown, key: string, idempotencyKey?: string): Promise<Answered | null>;
  chance(probability: number): boolean;
  /** From now on every request gets through. */
  calm(): void;
  /** Requests that were broken off, sent twice, or whose answer was dropped. */
  counts(): { readonly broken: number; readonly repeated: number; readonly dropped: number };
};

/** HTTP over a channel that breaks off and repeats requests and drops answers, at random by seed. */
export function unreliable(client: Client, seed: number): Unreliable {
  const random = createRandom(seed);
  let isCalm = false;
  const counts = { broken: 0, repeated: 0, dropped: 0 };

  const once = async (path: string, init: RequestInit): Promise<Answered | null> => {
    try {
      const answer = await fetch(client.urlOf(path), init);
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    } catch {
      return null;
    }
  };
  return {
    ask: async (path, body, key, idempotencyKey) => {
      const headers = {
        ...{ authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      };
      const request = { method: 'POST', headers, body: JSON.stringify(body) };
      const fate = isCalm ? 1 : random.next();
      if (fate < 0.2) {
        // The client goes away at any time, before, while or after it is served.
        counts.broken += 1;
        const gone = new AbortController();
        void pause(random.below(40)).then(() => gone.abort());
        return once(path, { ...request, signal: gone.signal });
      }
      const answer = await once(path, { ...request, signal: AbortSignal.timeout(30_000) });
      if (fate < 0.35) {
        counts.repeated += 1;
        return (await once(path, { ...request, signal: AbortSignal.timeout(30_000) })) ?? answer;
      }
      if (fate >= 0.5) return answer;
      counts.dropped += 1;
      return null;
    },
    chance: (probability) => !isCalm && random.chance(probability),
    calm: () => void (isCalm = true),
    counts: () => counts,
  };
}
