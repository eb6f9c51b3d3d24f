import type { Failure } from '@workledger/shared/contexts/values.ts';

/** What went wrong, where only a reason is known; the one place that knows the shape of a failure. */
export const because = (step: string, reason: string): Failure => ({
  step,
  reason,
  command: null,
  exitCode: null,
  lastLines: [],
  log: null,
});
