import { given } from '@workledger/shared/aggregate/testing.ts';
import type { EvolutionEvent, EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { Failure, Metrics } from '@workledger/shared/contexts/values.ts';
import { describe, expect, it } from 'vitest';
import { evolution, type EvolutionDecisions } from './evolution.ts';

const run = { taskId: '0190a000-0000-7000-8000-0000000000f1', runId: '0190a000-0000-7000-8000-00000000000a' };
const base = 'b'.repeat(40);
const commitOf = (id: string) => id.replace('.', '').padEnd(40, '0');
const artefact = { digest: 'ab'.repeat(32), size: 1, mediaType: 'text/plain' };
const failure: Failure = { step: 'work', reason: 'broke', command: null, exitCode: 1, lastLines: [], log: null };
const ends = { target: null, budgetUsd: null, patience: 1 };
const plan: EvolutionPlan = { metric: 'steps', direction: 'minimize', candidates: 2, generations: 3, ...ends };

const start = (changes: Partial<EvolutionPlan> = {}, baseline: Metrics = { steps: 100 }) => ({
  ...run,
  repository: 'sample',
  base,
  before: null,
  baseline,
  plan: { ...plan, ...changes },
});
const record = (candidate: string, metrics: Metrics, costUsd: number | null = null) => ({
  generation: Number(candidate.split('.')[0]),
  candidate,
  commit: commitOf(candidate),
  metrics,
  diffStat: { files: 1, insertions: 1, deletions: 0 },
  diff: artefact,
  output: artefact,
  costUsd,
  durationMs: 5,
});
const fail = (candidate: string, costUsd: number | null = null) => ({
  generation: Number(candidate.split('.')[0]),
  candidate,
  failure,
  costUsd,
});
const best = (id: string, metrics: Metrics) => ({ id, commit: commitOf(id), metrics });

const started = (changes?: Partial<EvolutionPlan>, baseline?: Metrics): EvolutionEvent => ({
  type: 'EvolutionStarted',
  data: start(changes, baseline),
});
const opened = (generation: number, parent: string): EvolutionEvent => ({
  type: 'EvolutionGenerationOpened',
  data: { ...run, generation, parent, candidates: [`${generation}.1`, `${generation}.2`] },
});
const evaluated = (...args: Parameters<typeof record>): EvolutionEvent => ({
  type: 'CandidateEvaluated',
  data: { ...run, ...record(...args) },
});
const candidateFailed = (...args: Parameters<typeof fail>): EvolutionEvent => ({
  type: 'CandidateFailed',
  data: { ...run, ...fail(...args) },
});
type Best = ReturnType<typeof best> | null;
const closed = (generation: number, champion: Best, improved: boolean): EvolutionEvent => ({
  type: 'EvolutionGenerationClosed',
  data: { ...run, generation, best: champion, improved },
});
type Reason = 'target' | 'budget' | 'no-progress' | 'generations';
const completed = (
  reason: Reason,
  champion: Best,
  costUsd: number | null = null,
  ranking = champion === null ? [] : [champion],
): EvolutionEvent => ({
  type: 'EvolutionCompleted',
  data: { ...run, reason, best: champion, ranking, commit: champion?.commit ?? base, costUsd },
});

describe('an evolution starts', () => {
  it('with its first generation', () => {
    given(evolution).when('evolution.start', start()).then(started(), opened(1, base));
  });
  it('and ends at once where the start reaches the target', () => {
    given(evolution)
      .when('evolution.start', start({ target: 100 }))
      .then(started({ target: 100 }), completed('target', null));
  });
  it('and ends at once where there is nothing to spend', () => {
    given(evolution)
      .when('evolution.start', start({ budgetUsd: 0 }))
      .then(started({ budgetUsd: 0 }), completed('budget', null));
  });
});

describe('a candidate', () => {
  it('that is not the last of its generation is only recorded', () => {
    given(evolution, started(), opened(1, base))
      .when('evolution.record-candidate', record('1.2', { steps: 80 }))
      .then(evaluated('1.2', { steps: 80 }));
  });
  it('that is the last opens the next generation from the best so far', () => {
    given(evolution, started(), opened(1, base), evaluated('1.2', { steps: 80 }))
      .when('evolution.record-candidate', record('1.1', { steps: 90 }))
      .then(evaluated('1.1', { steps: 90 }), closed(1, best('1.2', { steps: 80 }), true), opened(2, commitOf('1.2')));
  });
  it('that fails last closes its generation, too', () => {
    given(evolution, started(), opened(1, base), evaluated('1.1', { steps: 80 }))
      .when('evolution.fail-candidate', fail('1.2'))
      .then(candidateFailed('1.2'), closed(1, best('1.1', { steps: 80 }), true), opened(2, commitOf('1.1')));
  });
  it('that is recorded twice, or failed after it was recorded, is nothing', () => {
    const events = [started(), opened(1, base), evaluated('1.1', { steps: 80 })];
    given(evolution, ...events)
      .when('evolution.record-candidate', record('1.1', { steps: 1 }))
      .then();
    given(evolution, ...events)
      .when('evolution.fail-candidate', fail('1.1'))
      .then();
  });
  it('of a closed generation is nothing', () => {
    given(
      evolution,
      started(),
      opened(1, base),
      evaluated('1.1', { steps: 8 }),
      candidateFailed('1.2'),
      closed(1, best('1.1', { steps: 8 }), true),
      opened(2, commitOf('1.1')),
    )
      .when('evolution.record-candidate', record('1.2', { steps: 1 }))
      .then();
  });
  it.each(['1.3', '1.0', '2.1', '1.01', '12.1'])('that nobody asked for is refused: %s', (id) => {
    given(evolution, started(), opened(1, base))
      .when('evolution.record-candidate', record(id, { steps: 1 }))
      .thenRefused('unknown-reference');
  });
  it('whose generation is told wrongly is refused', () => {
    given(evolution, started(), opened(1, base))
      .when('evolution.record-candidate', { ...record('2.1', { steps: 1 }), generation: 1 })
      .thenRefused('unknown-reference');
  });
  it('without the deciding metric ranks as a failed one', () => {
    given(evolution, started(), opened(1, base), candidateFailed('1.1'))
      .when('evolution.record-candidate', record('1.2', { other: 1 }))
      .then(evaluated('1.2', { other: 1 }), closed(1, null, false), completed('no-progress', null));
  });
  it('that only equals the start is no progress', () => {
    given(evolution, started(), opened(1, base), candidateFailed('1.1'))
      .when('evolution.record-candidate', record('1.2', { steps: 100 }))
      .then(evaluated('1.2', { steps: 100 }), closed(1, null, false), completed('no-progress', null));
  });
  it('is better when it is higher, where the plan maximizes', () => {
    const rising = { direction: 'maximize' as const };
    given(evolution, started(rising), opened(1, base), evaluated('1.1', { steps: 90 }))
      .when('evolution.record-candidate', record('1.2', { steps: 120 }))
      .then(evaluated('1.2', { steps: 120 }), closed(1, best('1.2', { steps: 120 }), true), opened(2, commitOf('1.2')));
  });
  it('beats a start that nobody could measure', () => {
    given(evolution, started({}, {}), opened(1, base), candidateFailed('1.1'))
      .when('evolution.record-candidate', record('1.2', { steps: 500 }))
      .then(evaluated('1.2', { steps: 500 }), closed(1, best('1.2', { steps: 500 }), true), opened(2, commitOf('1.2')));
  });
});

describe('an evolution ends', () => {
  it('at once when the target is reached, and takes no notice of what comes after', () => {
    const plan = { target: 50 };
    const reached = [evaluated('1.1', { steps: 50 }), completed('target', best('1.1', { steps: 50 }))];
    given(evolution, started(plan), opened(1, base))
      .when('evolution.record-candidate', record('1.1', { steps: 50 }))
      .then(...reached);
    given(evolution, started(plan), opened(1, base), ...reached)
      .when('evolution.record-candidate', record('1.2', { steps: 10 }))
      .then();
  });
  it('at once when the budget is spent, that of failed candidates included', () => {
    given(
      evolution,
      started({ budgetUsd: 1, candidates: 3 }),
      {
        type: 'EvolutionGenerationOpened',
        data: { ...run, generation: 1, parent: base, candidates: ['1.1', '1.2', '1.3'] },
      },
      evaluated('1.1', { steps: 80 }, 0.5),
    )
      .when('evolution.fail-candidate', fail('1.2', 0.5))
      .then(candidateFailed('1.2', 0.5), completed('budget', best('1.1', { steps: 80 }), 1));
  });
  it('when its patience is over, counted from the last progress', () => {
    const champion = best('1.1', { steps: 80 });
    given(
      evolution,
      started({ patience: 2, generations: 9 }),
      opened(1, base),
      evaluated('1.1', { steps: 80 }),
      candidateFailed('1.2'),
      closed(1, champion, true),
      opened(2, champion.commit),
      candidateFailed('2.1'),
      candidateFailed('2.2'),
      closed(2, champion, false),
      opened(3, champion.commit),
      candidateFailed('3.1'),
    )
      .when('evolution.fail-candidate', fail('3.2'))
      .then(candidateFailed('3.2'), closed(3, champion, false), completed('no-progress', champion));
  });
  it('when its last generation is closed', () => {
    const champion = best('1.1', { steps: 80 });
    given(evolution, started({ generations: 1 }), opened(1, base), evaluated('1.1', { steps: 80 }, 0.25))
      .when('evolution.fail-candidate', fail('1.2'))
      .then(candidateFailed('1.2'), closed(1, champion, true), completed('generations', champion, 0.25));
  });
});

describe('the ranking of an evolution', () => {
  const only = { generations: 1, candidates: 3 };
  const opening: EvolutionEvent = {
    type: 'EvolutionGenerationOpened',
    data: { ...run, generation: 1, parent: base, candidates: ['1.1', '1.2', '1.3'] },
  };

  it('names all that beat the start, best first, and of equals the one that came first', () => {
    const [first, second, third] = [best('1.1', { steps: 90 }), best('1.2', { steps: 70 }), best('1.3', { steps: 90 })];
    given(evolution, started(only), opening, evaluated('1.1', { steps: 90 }), evaluated('1.2', { steps: 70 }))
      .when('evolution.record-candidate', record('1.3', { steps: 90 }))
      .then(
        evaluated('1.3', { steps: 90 }),
        closed(1, second, true),
        completed('generations', second, null, [second, first, third]),
      );
  });
  it('leaves out what is no better than the start, and what is there already under another name', () => {
    const champion = best('1.2', { steps: 70 });
    const same = { ...record('1.3', { steps: 70 }), commit: champion.commit };
    given(evolution, started(only), opening, evaluated('1.1', { steps: 100 }), evaluated('1.2', { steps: 70 }))
      .when('evolution.record-candidate', same)
      .then(
        { type: 'CandidateEvaluated', data: { ...run, ...same } },
        closed(1, champion, true),
        completed('generations', champion, null, [champion]),
      );
  });
  it('ends after ten, however many there were', () => {
    const ids = Array.from({ length: 12 }, (_, index) => `1.${index + 1}`);
    const many = { generations: 1, candidates: 12 };
    const came = ids.map((id, index): EvolutionEvent => {
      const commit = index.toString(16).repeat(40);
      return { type: 'CandidateEvaluated', data: { ...run, ...record(id, { steps: 50 - index }), commit } };
    });
    const outcome = came.reduce(evolution.evolve, evolution.evolve(evolution.initial, started(many)));
    expect(outcome.ranking.map(({ id }) => id)).toEqual(ids.slice(2).toReversed());
  });
});

it('is told once of what a candidate cost that came in when all was decided', () => {
  const [over, late] = [[started(), opened(1, base), completed('target', null)], candidateFailed('1.2', 0.5)];
  given(evolution, ...over)
    .when('evolution.fail-candidate', fail('1.2', 0.5))
    .then(late);
  given(evolution, ...over, late)
    .when('evolution.fail-candidate', fail('1.2', 0.5))
    .then();
});
describe('from any other state', () => {
  const cancelled: EvolutionEvent = { type: 'EvolutionCancelled', data: { ...run, reason: 'no need' } };
  const failed: EvolutionEvent = { type: 'EvolutionFailed', data: { ...run, failure } };
  const running = [started(), opened(1, base)];
  const states = {
    missing: [],
    running,
    completed: [...running, completed('target', null)],
    failed: [...running, failed],
    cancelled: [...running, cancelled],
  } satisfies Record<string, readonly EvolutionEvent[]>;
  type Name = keyof typeof states;
  const candidate = record('1.1', { steps: 80 });
  const table: Record<
    keyof EvolutionDecisions,
    { readonly data: unknown; readonly decided: Partial<Record<Name, readonly EvolutionEvent[]>> }
  > = {
    'evolution.start': { data: start(), decided: { missing: running } },
    'evolution.record-candidate': {
      data: candidate,
      decided: { running: [evaluated('1.1', { steps: 80 })], completed: [], failed: [], cancelled: [] },
    },
    'evolution.fail-candidate': {
      data: fail('1.1'),
      decided: { running: [candidateFailed('1.1')], completed: [], failed: [], cancelled: [] },
    },
    'evolution.fail': { data: { failure }, decided: { running: [failed], failed: [] } },
    'evolution.cancel': { data: { reason: 'no need' }, decided: { running: [cancelled], cancelled: [] } },
  };

  describe.each(Object.entries(table))('%s', (type, { data, decided }) => {
    it.each(Object.keys(states) as Name[])('when %s', (name) => {
      const outcome = given(evolution, ...states[name]).when(type as keyof EvolutionDecisions, data as never);
      const events = decided[name];
      if (events !== undefined) outcome.then(...events);
      else if (type === 'evolution.start') outcome.thenRefused('already-exists');
      else outcome.thenRefused(name === 'missing' ? 'not-found' : 'illegal-transition');
    });
  });
});
