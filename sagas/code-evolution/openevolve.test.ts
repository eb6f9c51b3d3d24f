import { expect, it } from 'vitest';
import {
  A,
  B,
  C,
  claimed,
  compared,
  evolve,
  evolved,
  generated,
  judgement,
  measurement,
  plan,
  work,
} from './testing.ts';
import { idInRun } from './steps/run.ts';

const openevolve = {
  ...{ file: 'src/search.py', model: 'fast', iterations: 10, checkpointEvery: 2, parallel: 1 },
  ...{ timeoutSeconds: 60, otherwise: 'best-of-n' },
};

/** As far as the start is measured. */
function asked(changes: object = {}) {
  const run = claimed('command', 'sample', { budget: { limitUsd: 5, spentUsd: 1 } });
  const asked = { ...evolve, generations: 3, openevolve: { ...openevolve, ...changes } };
  run.succeeds('prepare/1/1/prepare', { ...plan, evolve: asked });
  generated(run);
  run.succeeds('evolve/1/1/judge-start', judgement(B));
  run.succeeds('evolve/1/1/baseline', measurement(9));
  return run;
}

function begun() {
  const run = asked();
  run.succeeds('evolve/1/1/engine', { version: '0.4.1', python: '3.11' });
  const started = run.requested('evolve/1/1/start') as { data: { plan: object } };
  run.succeeds('evolve/1/1/start');
  const id = idInRun(run.state().facts, 'evolution');
  run.receives('evolution', id, 'EvolutionStarted', { base: B, baseline: { ms: 9 }, plan: started.data.plan });
  run.receives('evolution', id, 'EvolutionGenerationOpened', { generation: 1, parent: B, candidates: ['1.1'] });
  return { run, id };
}

it('lets OpenEvolve write the one candidate within what the task may cost, and judges it as any other', () => {
  const { run, id } = begun();
  expect(run.requested('evolve/1/1/start')).toMatchObject({
    data: { plan: { candidates: 1, generations: 1, budgetUsd: 3.5, openevolve } },
  });
  expect(run.open()).toEqual(['evolve/1/1/candidate-1.1']);
  expect(run.requested('evolve/1/1/candidate-1.1')).toMatchObject({
    component: 'evolution.openevolve',
    request: {
      ...{ repository: 'sample', parent: B, base: A, label: 'candidate-1.1', openevolve, current: { ms: 9 } },
      plan: { metric: 'ms', direction: 'minimize', target: null, budgetUsd: 3.5 },
    },
  });
  run.succeeds('evolve/1/1/candidate-1.1', work(C));
  run.succeeds('evolve/1/1/judge-1.1', judgement(C));
  run.succeeds('evolve/1/1/measure-1.1', measurement(3));
  expect(run.requested('evolve/1/1/record-1.1')).toMatchObject({
    type: 'evolution.record-candidate',
    data: { commit: C, metrics: { ms: 3 }, costUsd: 0.5 },
  });
  run.succeeds('evolve/1/1/record-1.1');
  evolved(run, id, { id: '1.1', commit: C });
  run.succeeds('evolve/1/1/compare-1.1', compared([9, 9, 9], [3, 3, 3]));
  expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: C } });
  expect(run.state().facts.costUsd).toBe(1);
});

it('lets the start stand when what OpenEvolve found is no better than it by more than the spread', () => {
  const { run, id } = begun();
  run.succeeds('evolve/1/1/candidate-1.1', work(C));
  run.succeeds('evolve/1/1/judge-1.1', judgement(C));
  run.succeeds('evolve/1/1/measure-1.1', measurement(8));
  run.succeeds('evolve/1/1/record-1.1');
  evolved(run, id, { id: '1.1', commit: C });
  run.succeeds('evolve/1/1/compare-1.1', compared([9, 8, 9], [8, 9, 8]));
  expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: B } });
});

it('tells evolution that OpenEvolve failed, and what that cost', () => {
  const { run } = begun();
  run.fails('evolve/1/1/candidate-1.1', false, 'OpenEvolve found nothing better than the start');
  expect(run.requested('evolve/1/1/record-1.1')).toMatchObject({
    type: 'evolution.fail-candidate',
    data: { candidate: '1.1', failure: { reason: 'OpenEvolve found nothing better than the start' } },
  });
});

it('goes on by best-of-n where OpenEvolve cannot be had', () => {
  const run = asked();
  run.fails('evolve/1/1/engine', false, 'OpenEvolve 0.4.1 cannot be had: python3 is not on PATH');
  const start = run.requested('evolve/1/1/start') as { data: { plan: object } };
  expect(start.data.plan).toMatchObject({ candidates: 2, generations: 3 });
  expect(start.data.plan).not.toHaveProperty('openevolve');
  run.succeeds('evolve/1/1/start');
  const id = idInRun(run.state().facts, 'evolution');
  run.receives('evolution', id, 'EvolutionStarted', { base: B, baseline: { ms: 9 }, plan: start.data.plan });
  run.receives('evolution', id, 'EvolutionGenerationOpened', { generation: 1, parent: B, candidates: ['1.1'] });
  expect(run.requested('evolve/1/1/candidate-1.1')).toMatchObject({ component: 'code.work' });
});

it('fails in the words of what is missing where nothing else is wanted', () => {
  const run = asked({ otherwise: 'fail' });
  run.fails('evolve/1/1/engine', false, 'OpenEvolve 0.4.1 cannot be had: python3 is not on PATH');
  run.succeeds('undo/evolve/1/cancel');
  run.succeeds('undo/prepare/1/cleanup');
  expect(run.requested('end/1/fail')).toMatchObject({
    data: { failure: { reason: expect.stringContaining('cannot be had') as string } },
  });
});
