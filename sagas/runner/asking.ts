import { randomInt } from 'node:crypto';
import type { Asked, Said } from './frames.ts';

export type Asking = {
  /** What sagas say to this. @throws what the signal aborts with, and what sending does */
  ask(asked: Asked, until: AbortSignal): Promise<Said>;
  /** Hands on what was said. @returns false: nobody waits for it */
  take(ask: number, said: Said): boolean;
};

/** The runner's side: what one call asks of whoever called, and waits for. */
export function createAsking(send: (ask: number, asked: Asked) => Promise<void>): Asking {
  const waiting = new Map<number, (said: Said) => void>();
  // A late answer to an earlier call under the same key finds nobody here.
  let count = randomInt(2 ** 40);
  return {
    ask: (asked, until) => {
      const ask = ++count;
      return new Promise<Said>((resolve, reject) => {
        const gone = (): void => reject(until.reason as Error);
        if (until.aborted) return gone();
        until.addEventListener('abort', gone, { once: true });
        waiting.set(ask, (said) => {
          until.removeEventListener('abort', gone);
          resolve(said);
        });
        send(ask, asked).catch(reject);
      }).finally(() => waiting.delete(ask));
    },
    take: (ask, said) => {
      const resolve = waiting.get(ask);
      resolve?.(said);
      return resolve !== undefined;
    },
  };
}
