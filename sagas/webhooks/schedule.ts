/** Each pause is up to a fifth longer: what failed together does not come again together. */
const JITTER = 0.2;

/**
 * Seconds until the next try; null: that was the last one.
 * @param attempts that were made, this one counted @param pauses between tries, seconds
 */
export function nextTry(
  attempts: number,
  pauses: readonly number[],
  random: () => number = Math.random,
): number | null {
  const seconds = pauses[attempts - 1];
  return seconds === undefined ? null : seconds * (1 + JITTER * random());
}

/** Seconds that all tries of one delivery may take: what waited so long for a subscriber that fails is given up. */
export const wholeTime = (pauses: readonly number[]): number =>
  pauses.reduce((all, one) => all + one * (1 + JITTER), 0) + 60;
