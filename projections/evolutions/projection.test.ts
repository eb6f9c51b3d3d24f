import { describe, expect, it } from 'vitest';
import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EvolutionRow } from '@workledger/shared/contexts/evolution/evolution/row.ts';
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
import { evolutions } from './projection.ts';

const id = newId();
const run = newRun();
const plan = {
  metric: 'steps',
  direction: 'minimize',
  candidates: 2,
  generations: 3,
  target: 2,
  budgetUsd: null,
  patience: 1,
} as const;
const best = { id: '1.1', commit: commitOf('b'), metrics: { steps: 4 } };

const started: EvolutionEvent = {
  type: 'EvolutionStarted',
  data: { ...run, repository: 'sample', base: commitOf('a'), before: null, baseline: { steps: 9 }, plan },
};
const opened: EvolutionEvent = {
  type: 'EvolutionGenerationOpened',
  data: { ...run, generation: 1, parent: commitOf('a'), candidates: ['1.1', '1.2'] },
};
const work = { diffStat, diff: paper('1'), output: paper('2'), costUsd: 0.5, durationMs: 900 };
const evaluated: EvolutionEvent = {
  type: 'CandidateEvaluated',
  data: { ...run, generation: 1, candidate: '1.1', commit: best.commit, metrics: best.metrics, ...work },
};
const broken: EvolutionEvent = {
  type: 'CandidateFailed',
  data: { ...run, generation: 1, candidate: '1.2', failure: failed('no metric'), costUsd: null },
};
const closed: EvolutionEvent = {
  type: 'EvolutionGenerationClosed',
  data: { ...run, generation: 1, best, improved: true },
};

const after = (...events: EvolutionEvent[]): EvolutionRow =>
  foldAll<EvolutionRow>(evolutions, history(streamName('evolution', id), [started, ...events])).get(id)!;

describe('the evolutions read model', () => {
  it('shows the candidates of a generation as they run, succeed and fail', () => {
    expect(after(opened).generations).toMatchObject([
      {
        generation: 1,
        parent: commitOf('a'),
        openedAt: timeOf(1),
        closedAt: null,
        candidates: [
          { id: '1.1', state: 'running' },
          { id: '1.2', state: 'running' },
        ],
      },
    ]);
    expect(after(opened, evaluated, broken).generations[0]?.candidates).toMatchObject([
      { id: '1.1', state: 'evaluated', metrics: { steps: 4 }, diff: paper('1'), endedAt: timeOf(2) },
      { id: '1.2', state: 'failed', failure: failed('no metric') },
    ]);
  });

  it('adds up what is known to be spent, and keeps the best', () => {
    expect(after(opened).costUsd).toBeNull();
    expect(after(opened, evaluated, broken, closed)).toMatchObject({
      state: 'running',
      costUsd: 0.5,
      best,
      generations: [{ best, improved: true, closedAt: timeOf(4) }],
    });
  });

  it('ends completed, failed or cancelled', () => {
    const end = { ...run, reason: 'target', best, commit: best.commit, costUsd: 0.5 } as const;
    expect(after(opened, evaluated, { type: 'EvolutionCompleted', data: end })).toMatchObject({
      state: 'completed',
      reason: 'target',
      commit: best.commit,
      endedAt: timeOf(3),
    });
    expect(after(opened, evaluated).ranking).toBeNull();
    const ranking = [best, { id: '1.2', commit: commitOf('c'), metrics: { steps: 6 } }];
    expect(after({ type: 'EvolutionCompleted', data: { ...end, ranking } }).ranking).toEqual(ranking);
    // As it was written before there were rankings.
    expect(after({ type: 'EvolutionCompleted', data: end }).ranking).toBeNull();
    const failure = failed('the evaluator is gone');
    expect(after({ type: 'EvolutionFailed', data: { ...run, failure } })).toMatchObject({ state: 'failed', failure });
    expect(after({ type: 'EvolutionCancelled', data: { ...run, reason: 'closed' } })).toMatchObject({
      state: 'cancelled',
      reason: 'closed',
    });
  });
});
