import { expect, it } from 'vitest';
import { commitOf, diffStat, failed, newRun, paper } from '@workledger/infra/testing/events/history.ts';
import { history } from '@workledger/infra/testing/events/history.ts';
import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { CostRow } from '@workledger/shared/read-models/costs.ts';
import { foldAll } from '../engine/fold-all.ts';
import { costs } from './projection.ts';

const id = newId();
const run = newRun();
const made = { commit: commitOf('b'), diffStat, diff: paper('1'), output: paper('2'), durationMs: 900 };
const agentId = newId();
const requested: GenerationEvent = {
  type: 'GenerationRequested',
  data: { ...run, repository: 'sample', base: commitOf('a'), prompt: null, strategies: [agentId, agentId] },
};
const attemptFailed = (costUsd: number | null): GenerationEvent => ({
  type: 'GenerationAttemptFailed',
  data: { ...run, attempt: 1, strategy: agentId, failure: failed('changed nothing'), costUsd },
});
const succeeded: GenerationEvent = {
  type: 'GenerationSucceeded',
  data: { ...run, attempt: 2, strategy: agentId, ...made, costUsd: 0.5 },
};

it('counts the attempts that failed, too, each on the UTC day of its end', () => {
  const recorded = history(streamName('generation', id), [requested, attemptFailed(0.25), succeeded]);
  const days = ['2026-01-01T10:00:00Z', '2026-01-01T23:59:59Z', '2026-01-02T00:00:00Z'];
  const spread = recorded.map((event, index) => ({ ...event, recordedAt: new Date(days[index] ?? '') }));
  expect(foldAll<CostRow>(costs, spread).get(id)).toEqual({
    id,
    kind: 'generation',
    ...run,
    repository: 'sample',
    agentId,
    costUsd: 0.75,
    days: [
      { day: '2026-01-01', costUsd: 0.25 },
      { day: '2026-01-02', costUsd: 0.5 },
    ],
    lastDay: '2026-01-02',
    lastDayUsd: 0.5,
  });
});

it('has nothing to say of a day where nobody told a cost', () => {
  const rows = foldAll<CostRow>(costs, history(streamName('generation', id), [requested, attemptFailed(null)]));
  expect(rows.get(id)).toMatchObject({ costUsd: 0, days: [], lastDay: null });
});

it('counts a candidate once: the end of an evolution tells the sum again', () => {
  const plan = { metric: 'ms', direction: 'minimize', candidates: 2, generations: 1, target: null } as const;
  const base = commitOf('a');
  const events: EvolutionEvent[] = [
    {
      type: 'EvolutionStarted',
      data: {
        ...run,
        repository: 'sample',
        base,
        before: null,
        baseline: { ms: 9 },
        plan: { ...plan, budgetUsd: null, patience: 1 },
      },
    },
    {
      type: 'CandidateEvaluated',
      data: { ...run, generation: 1, candidate: '1.1', ...made, metrics: { ms: 5 }, costUsd: 0.5 },
    },
    {
      type: 'CandidateFailed',
      data: { ...run, generation: 1, candidate: '1.2', failure: failed('changed nothing'), costUsd: 0.25 },
    },
    {
      type: 'EvolutionCompleted',
      data: { ...run, reason: 'generations', best: null, commit: base, costUsd: 0.75 },
    },
  ];
  const rows = foldAll<CostRow>(costs, history(streamName('evolution', id), events));
  expect(rows.get(id)).toMatchObject({ kind: 'evolution', agentId: null, costUsd: 0.75, lastDayUsd: 0.75 });
});
