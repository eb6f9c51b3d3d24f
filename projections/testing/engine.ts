import { setTimeout as pause } from 'node:timers/promises';
import type { EngineLogger } from '../engine/handle-batches.ts';

export const silent: EngineLogger = { info: () => undefined, error: () => undefined };

/** Waits until the assertion holds; fails with its own error when it does not within so many milliseconds. */
export async function until(assertion: () => Promise<void>, milliseconds = 10_000): Promise<void> {
  const tries = milliseconds / 25;
  for (let tried = 1; ; tried++) {
    try {
      return await assertion();
    } catch (error) {
      if (tried === tries) throw error;
      await pause(25);
    }
  }
}
