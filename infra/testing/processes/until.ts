import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MILLISECONDS = 25;
/** A look may be at a whole log: whoever waits leaves the machine to those whom it waits for. */
const RESTS_A_LOOK = 3;
const LONGEST_REST_MILLISECONDS = 500;
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
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const lookedAt = performance.now();
    const found = await look();
    if (found !== false && found !== null && found !== undefined)
      return found as Exclude<Found, false | null | undefined>;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    const rest = RESTS_A_LOOK * (performance.now() - lookedAt);
    await pause(Math.max(LOOK_MILLISECONDS, Math.min(rest, LONGEST_REST_MILLISECONDS)));
  }
}

/** The same, for what a test says by the condition itself. */
export const untilTrue = (look: () => boolean | Promise<boolean>, seconds = 60): Promise<unknown> =>
  until(String(look), look, seconds);
