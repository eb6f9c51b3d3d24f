import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { definePipeline } from '../pipeline/pipeline.ts';
import { absorb } from './absorb.ts';
import { noFacts } from './facts.ts';
import { approve } from './steps/approve.ts';
import { complete, failTask } from './steps/complete.ts';
import { publish, validate } from './steps/publish-and-validate.ts';
import { evolve } from './steps/evolve.ts';
import { merge } from './steps/merge.ts';
import { awaitMerge } from './steps/await-merge.ts';
import { openPullRequest } from './steps/pull-request.ts';
import { awaitWork, generate, prepare } from './steps/work.ts';

/** From a claimed task to a merged, validated branch: one run for each claim. */
export const codeEvolution = definePipeline({
  name: 'code-evolution',
  topics: ['task', 'evolution'],
  correlate,
  facts: noFacts,
  absorb,
  ready: ({ claim }) => claim !== null,
  // What is merged stays merged: from then on the run goes to its end.
  stopped: ({ stopped, merged }) => (merged ? null : stopped),
  achieved: ({ merged }) => merged,
  steps: [
    ...[prepare, generate, awaitWork, evolve],
    ...[publish, openPullRequest, validate, approve, merge, awaitMerge, complete],
  ],
  conclude: failTask,
});

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
  'QuestionAnswered',
  'MergeTurnBegan',
  'MergeTurnEnded',
  'TaskPullRequestNoticed',
]);

/** A run is one claim: everything that happens under it carries its id. */
function correlate(event: RecordedEvent): string | null {
  if (!INPUTS.has(event.type)) return null;
  const { claimId, runId } = event.data as { claimId?: string | null; runId?: string };
  return claimId ?? runId ?? null;
}
