import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

const INPUTS: ReadonlySet<string> = new Set([
  'TaskClaimed',
  'TaskWorkSubmitted',
  'TaskClaimReleased',
  'TaskClaimExpired',
  'TaskCancelled',
  'EvolutionStarted',
  'EvolutionGenerationOpened',
  'EvolutionGenerationClosed',
  'EvolutionCompleted',
  'EvolutionFailed',
  'ValidationPassed',
  'ValidationFailed',
]);

/** A run is one claim: everything that happens under it carries its id. */
export function correlate(event: RecordedEvent): string | null {
  if (!INPUTS.has(event.type)) return null;
  const { claimId, runId } = event.data as { claimId?: string | null; runId?: string };
  return claimId ?? runId ?? null;
}
