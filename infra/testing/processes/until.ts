import { setTimeout as pause } from 'node:timers/promises';

const SHORTEST_REST_MILLISECONDS = 25;
const LONGEST_REST_MILLISECONDS = 500;
/** A look may be at a whole log: whoever waits leaves the machine to those whom it waits for. */
const RESTS_A_LOOK = 6;
/** Who has waited for long can wait a little longer: it finds out a twelfth later at most. */
const OF_WHAT_WAS_WAITED = 1 / 12;
const MOST_SECONDS = 180;

/**
 * Looks again and again until the answer is neither false, null nor undefined, and answers it.
 * @param what completes "waited in vain for …"
 * @throws Error (not an assertion's) when it took too long
 */
export async function until<Found>(
  what: string,
  look: () => Found | Promise<Found>,
  seconds = MOST_SECONDS,
): Promise<Exclude<Found, false | null | undefined>> {
  const begunAt = performance.now();
  for (;;) {
    const lookedAt = performance.now();
    const found = await look();
    if (found !== false && found !== null && found !== undefined)
      return found as Exclude<Found, false | null | undefined>;
    const now = performance.now();
    if (now > begunAt + seconds * 1_000) throw new Error(`waited in vain for ${what}`);
    const rest = Math.max(RESTS_A_LOOK * (now - lookedAt), OF_WHAT_WAS_WAITED * (now - begunAt));
    await pause(Math.max(SHORTEST_REST_MILLISECONDS, Math.min(rest, LONGEST_REST_MILLISECONDS)));
  }
}

/** The same, for what a test says by the condition itself. */
export const untilTrue = (look: () => boolean | Promise<boolean>, seconds = 60): Promise<unknown> =>
  until(String(look), look, seconds);
