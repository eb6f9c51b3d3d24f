import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import {
  type GenerationAttemptView,
  generationModel,
  type GenerationRow,
} from '@workledger/shared/contexts/evolution/generation/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { addCost, defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { generationsMigrations } from './migration.ts';

type Requested = Extract<Recorded<GenerationEvent>, { type: 'GenerationRequested' }>;
type Later = Exclude<GenerationEvent, { type: 'GenerationRequested' }>;

/** The generation after the event. */
function foldGeneration(row: GenerationRow | undefined, event: Recorded<GenerationEvent>): GenerationRow {
  const at = event.recordedAt.toISOString();
  if (event.type === 'GenerationRequested') return requested(event, at);
  const before = existing(row, event);
  return { ...before, ...changes(before, event, at), revision: event.revision, updatedAt: at };
}

function changes(row: GenerationRow, event: Later, at: string): Partial<GenerationRow> {
  switch (event.type) {
    case 'GenerationAttemptStarted': {
      const { attempt, strategy } = event.data;
      const view = { attempt, strategy, state: 'running', failure: null, costUsd: null } as const;
      return { state: 'running', attempts: [...row.attempts, { ...view, startedAt: at, endedAt: null }] };
    }
    case 'GenerationAttemptFailed': {
      const { attempt, failure, costUsd } = event.data;
      return {
        attempts: withAttempt(row, attempt, { state: 'failed', failure, costUsd, endedAt: at }),
        costUsd: addCost(row.costUsd, costUsd),
      };
    }
    case 'GenerationSucceeded': {
      const { attempt, commit, diffStat, diff, output, costUsd, durationMs } = event.data;
      return {
        state: 'succeeded',
        attempts: withAttempt(row, attempt, { state: 'succeeded', costUsd, endedAt: at }),
        commit,
        diffStat,
        diff,
        output,
        durationMs,
        costUsd: addCost(row.costUsd, costUsd),
        endedAt: at,
      };
    }
    case 'GenerationFailed':
      return { state: 'failed', failure: event.data.failure, endedAt: at };
    case 'GenerationCancelled':
      return { state: 'cancelled', reason: event.data.reason, endedAt: at };
  }
}

const withAttempt = (
  { attempts }: GenerationRow,
  attempt: number,
  change: Partial<GenerationAttemptView>,
): GenerationAttemptView[] => attempts.map((view) => (view.attempt === attempt ? { ...view, ...change } : view));

const requested = ({ stream, revision, data }: Requested, at: string): GenerationRow => ({
  id: streamId(stream),
  revision,
  ...data,
  state: 'requested',
  attempts: [],
  commit: null,
  diffStat: null,
  diff: null,
  output: null,
  durationMs: null,
  costUsd: null,
  failure: null,
  reason: null,
  requestedAt: at,
  updatedAt: at,
  endedAt: null,
});

export const generations = defineProjection<GenerationRow, Recorded<GenerationEvent>>(generationModel, {
  migrations: generationsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldGeneration,
});
