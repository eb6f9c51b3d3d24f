import type { ArtefactReference, Failure } from '@workledger/shared/events/values.ts';

/** What went wrong, where only a reason is known. */
export const because = (step: string, reason: string, log: ArtefactReference | null = null): Failure => ({
  step,
  reason,
  command: null,
  exitCode: null,
  lastLines: [],
  log,
});
