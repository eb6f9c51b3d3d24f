import { setTimeout as pause } from 'node:timers/promises';

const LOOK_AGAIN_MILLISECONDS = 1_000;

/**
 * Resolves with why the system cannot go on: PostgreSQL has ended, or what must always run has failed. Who loses its connection
 * may tell before the server's end is seen: that end is the better reason, and is waited for a moment.
 */
export async function firstFailure(died: Promise<string>, failures: readonly Promise<unknown>[]): Promise<Error> {
  const ended = died.then(
    (how) => new Error(`PostgreSQL has ended (${how}): start again, nothing that was accepted is lost`),
  );
  const error = await Promise.race([ended, ...failures]);
  const better = await Promise.race([ended, pause(LOOK_AGAIN_MILLISECONDS, null, { ref: false })]);
  return better ?? (error instanceof Error ? error : new Error(String(error)));
}
