import { TargetAway } from './failures.ts';

/** Milliseconds until what was asked for can be seen. */
const SEEN_MS = 1_000;

/**
 * Looks for what is wanted, and makes it where it is not. Where nobody can tell whether it was made, it is looked for once more, and is
 * never made twice: who finds nothing then leaves it to the next attempt, which looks first, too.
 */
export async function findOrMake<Found>(
  find: () => Promise<Found | null>,
  make: () => Promise<Found>,
): Promise<{ readonly found: Found; readonly isNew: boolean }> {
  const before = await find();
  if (before !== null) return { found: before, isNew: false };
  try {
    return { found: await make(), isNew: true };
  } catch (error) {
    if (!(error instanceof TargetAway) || !error.mayHaveHappened) throw error;
    await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
    const after = await find();
    if (after === null) throw error;
    return { found: after, isNew: true };
  }
}
