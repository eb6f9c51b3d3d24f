import { pause } from '../resilience/pause.ts';

/** Lets one after the other begin, so many milliseconds apart. @returns throws the signal's reason when it aborts meanwhile */
export function createPace(milliseconds: number): (signal: AbortSignal) => Promise<void> {
  let next = 0;
  return async (signal) => {
    const now = performance.now();
    const turn = Math.max(now, next);
    next = turn + milliseconds;
    if (turn > now) await pause(turn - now, signal);
    signal.throwIfAborted();
  };
}

/** Milliseconds before the next try, anywhere from none to a bound that doubles: what failed together does not come again together. */
export const fullJitter = (attempt: number, first: number, most: number): number =>
  Math.random() * Math.min(most, first * 2 ** (attempt - 1));

/** When a Retry-After allows the next try: seconds, or a date; null: it says nothing that can be read. */
export function retryAfter(header: string | undefined, now: number): Date | null {
  if (header === undefined) return null;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : null;
  const at = seconds === null ? Date.parse(header) : now + 1_000 * seconds;
  return Number.isNaN(at) ? null : new Date(at);
}
