import { vi } from 'vitest';
import type { EngineLogger } from '../engine/handle-batches.ts';

export const silent: EngineLogger = { info: () => undefined, error: () => undefined };

/** Waits until the assertion holds; fails with its own error when it does not within so many milliseconds. */
export const untilHolds = (assertion: () => Promise<void>, milliseconds = 10_000): Promise<void> =>
  vi.waitFor(assertion, { timeout: milliseconds, interval: 25 });
