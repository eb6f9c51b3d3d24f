import { describe, expect, it } from 'vitest';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { GenerationRow } from '@workledger/shared/contexts/evolution/generation/row.ts';
import { foldAll } from '../engine/fold-all.ts';
import {
  history,
  timeOf,
  commitOf,
  diffStat,
  failed,
  newRun,
  paper,
} from '@workledger/infra/testing/events/history.ts';
import { generations } from './projection.ts';

const id = newId();
const run = newRun();
const requested: GenerationEvent = {
  type: 'GenerationRequested',
  data: { ...run, repository: 'sample', base: commitOf('a'), prompt: null, strategies: ['quick', 'thorough'] },
};
const tries = (attempt: number, strategy: string): GenerationEvent => ({
  type: 'GenerationAttemptStarted',
  data: { ...run, attempt, strategy },
});
const firstFailed: GenerationEvent = {
  type: 'GenerationAttemptFailed',
  data: { ...run, attempt: 1, strategy: 'quick', failure: failed('changed nothing'), costUsd: 0.25 },
};
const made = { commit: commitOf('b'), diffStat, diff: paper('1'), output: paper('2'), durationMs: 900 };

const after = (...events: GenerationEvent[]): GenerationRow =>
  foldAll<GenerationRow>(generations, history(streamName('generation', id), [requested, ...events])).get(id)!;

describe('the generations read model', () => {
  it('shows each attempt, and what all of them cost', () => {
    const succeeded: GenerationEvent = {
      type: 'GenerationSucceeded',
      data: { ...run, attempt: 2, strategy: 'thorough', ...made, costUsd: 0.5 },
    };
    expect(after()).toMatchObject({ state: 'requested', attempts: [], ...run });
    expect(after(tries(1, 'quick'), firstFailed, tries(2, 'thorough'), succeeded)).toMatchObject({
      state: 'succeeded',
      ...made,
      costUsd: 0.75,
      endedAt: timeOf(4),
      attempts: [
        { attempt: 1, strategy: 'quick', state: 'failed', failure: failed('changed nothing'), endedAt: timeOf(2) },
        { attempt: 2, strategy: 'thorough', state: 'succeeded', startedAt: timeOf(3), endedAt: timeOf(4) },
      ],
    });
  });

  it('ends failed or cancelled', () => {
    const failure = failed('no strategy is left');
    expect(
      after(tries(1, 'quick'), firstFailed, { type: 'GenerationFailed', data: { ...run, failure } }),
    ).toMatchObject({
      state: 'failed',
      failure,
    });
    expect(after({ type: 'GenerationCancelled', data: { ...run, reason: 'closed' } })).toMatchObject({
      state: 'cancelled',
      reason: 'closed',
    });
  });
});
