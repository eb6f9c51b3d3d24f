import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { describe, expect, it } from 'vitest';
import {
  A,
  B,
  C,
  candidate,
  claimed,
  compared,
  D,
  evolve,
  evolved,
  evolving,
  generated,
  judgement,
  measurement,
  plan,
  publish,
  reference,
  testsFail,
  turn,
  work,
} from './testing.ts';
import { idInRun } from './steps/run.ts';

const E = 'e'.repeat(40);
const calls = (run: ReturnType<typeof claimed>, component: string, commit?: string): number =>
  run
    .keys()
    .map((key) => run.requested(key))
    .filter((effect) => effect?.kind === 'call' && effect.component === component)
    .filter((effect) => commit === undefined || (effect as { request: { commit?: string } }).request.commit === commit)
    .length;

describe('evolution judges before it ranks', () => {
  it('sends a start whose tests fail back to its agent before any candidate is paid', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
    generated(run);
    expect(run.open()).toEqual(['evolve/1/1/judge-start']);
    run.succeeds('evolve/1/1/judge-start', judgement(D, testsFail));
    run.succeeds('evolve/1/1/submit');
    run.succeeds('evolve/1/1/send-back');
    run.succeeds('generate/2/1/request');
    run.succeeds('generate/2/1/start');
    expect(run.requested('generate/2/1/work')).toMatchObject({
      request: { parent: D, prompt: { feedback: { reason: 'tests fail', log: reference } } },
    });
    run.succeeds('generate/2/1/work', work(C));
    run.succeeds('generate/2/1/note');
    run.succeeds('evolve/2/1/judge-start', judgement(C, testsFail));
    run.fails('undo/evolve/1/cancel');
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.requested('end/1/fail')).toMatchObject({ data: { failure: { reason: 'tests fail' } } });
    expect([calls(run, 'code.work'), calls(run, 'code.evaluate')]).toEqual([2, 0]);
  });

  it('does not let a candidate win that is fast and wrong', () => {
    const { run, id } = evolving();
    expect(run.open()).toEqual(['evolve/1/1/candidate-1.1', 'evolve/1/1/candidate-1.2']);
    expect(run.requested('evolve/1/1/candidate-1.1')).toMatchObject({ request: { evaluate: false } });
    run.succeeds('evolve/1/1/candidate-1.1', work(C));
    run.succeeds('evolve/1/1/judge-1.1', judgement(C, testsFail));
    expect(run.requested('evolve/1/1/record-1.1')).toMatchObject({
      type: 'evolution.fail-candidate',
      data: { failure: testsFail, costUsd: 0.5 },
    });
    expect(run.requested('evolve/1/1/measure-1.1')).toBeUndefined();
    run.succeeds('evolve/1/1/record-1.1');
    candidate(run, '1.2', D, 3);
    expect(run.requested('evolve/1/1/record-1.2')).toMatchObject({
      type: 'evolution.record-candidate',
      data: { commit: D, metrics: { ms: 3 }, costUsd: 0.5 },
    });
    evolved(run, id, { id: '1.2', commit: D });
    run.succeeds('evolve/1/1/compare-1.2', compared([9, 9, 9], [3, 3, 3]));
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: D } });
  });

  it('tells evolution of an agent that failed, of tests that cannot run, and of work that cannot be measured', () => {
    const { run } = evolving();
    run.fails('evolve/1/1/candidate-1.1');
    expect(run.requested('evolve/1/1/record-1.1')).toMatchObject({ type: 'evolution.fail-candidate' });
    run.succeeds('evolve/1/1/candidate-1.2', work(D));
    run.succeeds('evolve/1/1/judge-1.2', judgement(D));
    run.fails('evolve/1/1/measure-1.2', false, 'printed no metrics');
    expect(run.requested('evolve/1/1/record-1.2')).toMatchObject({
      type: 'evolution.fail-candidate',
      data: { failure: { reason: 'printed no metrics' }, costUsd: 0.5 },
    });
  });

  it('judges and measures a commit once in a run: the start, the winner, and two candidates with the same files', () => {
    const { run, id } = evolving();
    run.succeeds('evolve/1/1/candidate-1.1', { ...work(C), tree: 'same' });
    run.succeeds('evolve/1/1/candidate-1.2', { ...work(D), tree: 'same' });
    expect(run.open()).toEqual(['evolve/1/1/judge-1.1']);
    run.succeeds('evolve/1/1/judge-1.1', judgement(C));
    expect(run.open()).toEqual(['evolve/1/1/measure-1.1']);
    run.succeeds('evolve/1/1/measure-1.1', measurement(3));
    for (const one of ['1.1', '1.2']) {
      expect(run.open()).toEqual([`evolve/1/1/record-${one}`]);
      expect(run.requested(`evolve/1/1/record-${one}`)).toMatchObject({ data: { commit: C, metrics: { ms: 3 } } });
      run.succeeds(`evolve/1/1/record-${one}`);
    }
    evolved(run, id, { id: '1.1', commit: C });
    run.succeeds('evolve/1/1/compare-1.1', compared([9, 9], [3, 3]));
    publish(run);
    run.succeeds('validate/1/1/submit');
    run.succeeds('validate/1/1/request');
    expect(run.open()).toEqual(['validate/1/1/judge']);
    expect([calls(run, 'code.validate'), calls(run, 'code.evaluate')]).toEqual([2, 2]);
  });

  it('lets the start stand when nothing beats it by more than the spread', () => {
    const { run, id } = evolving();
    candidate(run, '1.1', C, 8);
    candidate(run, '1.2', D, 8.5);
    evolved(run, id, { id: '1.1', commit: C }, { id: '1.2', commit: D });
    expect(run.requested('evolve/1/1/compare-1.1')).toMatchObject({
      component: 'code.compare',
      request: { start: B, winner: C, base: A, rounds: 3 },
    });
    run.succeeds('evolve/1/1/compare-1.1', compared([9, 10, 8], [8, 9, 8]));
    run.fails('evolve/1/1/compare-1.2', true, 'no answer', null);
    run.fails('evolve/1/1/compare-1.2-again', true, 'no answer', null);
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: B } });
  });

  it('takes the next one when the best was lucky, and asks as often as the plan says', () => {
    const { run, id } = evolving({ measurements: 5 });
    candidate(run, '1.1', C, 2);
    candidate(run, '1.2', D, 3);
    evolved(run, id, { id: '1.1', commit: C }, { id: '1.2', commit: D });
    expect(run.requested('evolve/1/1/compare-1.1')).toMatchObject({ request: { rounds: 5 } });
    run.succeeds('evolve/1/1/compare-1.1', compared([9, 9], [2, 16]));
    run.succeeds('evolve/1/1/compare-1.2', compared([9, 9], [3, 3]));
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: D } });
  });

  it('compares three candidates at most', () => {
    const { run, id } = evolving();
    const ranking = ['1.1', '1.2', '1.3', '1.4'].map((one, index) => ({ id: one, commit: String(index).repeat(40) }));
    evolved(run, id, ...ranking);
    for (const { id: one, commit } of ranking.slice(0, 3)) {
      run.succeeds(`evolve/1/1/judge-${one}`, judgement(commit));
      run.succeeds(`evolve/1/1/compare-${one}`, compared([9, 9], [9, 9]));
    }
    expect(calls(run, 'code.compare')).toBe(3);
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: B } });
  });
});

describe('a winner that is refused later', () => {
  const won = () => {
    const { run, id } = evolving();
    candidate(run, '1.1', C, 3);
    candidate(run, '1.2', D, 4);
    evolved(run, id, { id: '1.1', commit: C }, { id: '1.2', commit: D });
    run.succeeds('evolve/1/1/compare-1.1', compared([9, 9], [3, 3]));
    return run;
  };
  /** The n-th choice is good where it began, and is not once it was put onto the base that moved. */
  const reject = (run: ReturnType<typeof won>, nth: number, commit: string) => {
    expect(run.requested(`publish/${nth}/1/publish`)).toMatchObject({ request: { commit, base: A } });
    publish(run, nth);
    run.succeeds(`validate/${nth}/1/submit`);
    run.succeeds(`validate/${nth}/1/request`);
    run.succeeds(`validate/${nth}/1/judge`);
    run.receives('validation', idInRun(run.state().facts, 'validation', String(nth)), 'ValidationPassed', {});
    turn(run, nth);
    run.succeeds(`merge/${nth}/1/merge`, { outcome: 'base-moved', commit, base: E });
    run.succeeds(`merge/${nth}/1/rebase`, { outcome: 'rebased', commit: String(nth).repeat(40), base: E });
    run.succeeds(`merge/${nth}/1/publish`, { branch: 'workledger/x', commit: String(nth).repeat(40) });
    run.succeeds(`merge/${nth}/1/request`);
    run.succeeds(`merge/${nth}/1/validate`, judgement(String(nth).repeat(40), testsFail));
    run.succeeds(`merge/${nth}/1/judge`);
    run.succeeds(`merge/${nth}/1/leave`);
  };
  const mayGoBack = (sendBackAllowed: boolean) => ({ data: { sendBackAllowed } });

  it('on a newer base makes place for the next, then for the start, before anything is sent back', () => {
    const run = won();
    reject(run, 1, C);
    expect(run.requested('merge/1/1/request')).toMatchObject(mayGoBack(false));
    reject(run, 2, D);
    reject(run, 3, B);
    expect(run.requested('merge/3/1/request')).toMatchObject(mayGoBack(true));
    expect(run.open()).toEqual(['merge/3/1/send-back']);
    expect(run.state().facts.refused).toEqual([C, D]);
    expect(calls(run, 'code.work')).toBe(3);
  });

  it('by the origin makes place for the next, unless the origin would refuse any', () => {
    const run = won();
    run.fails('publish/1/1/publish', false, 'too large', null, { fault: 'work' });
    expect(run.requested('publish/2/1/publish')).toMatchObject({ request: { commit: D } });
    run.fails('publish/2/1/publish', false, 'the branch is protected', null, { fault: 'origin' });
    expect(run.open()).toEqual(['undo/publish/1/delete-branch']);
  });
});

type Effect = Extract<SagaEvent, { type: 'SagaEffectRequested' }>['data']['effect'];
const asked = (effect: Effect): SagaEvent => ({ type: 'SagaEffectRequested', data: { effect } });

describe('a run that an earlier version began', () => {
  it('judges what it is still to rank, and not what it has told already', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
    generated(run);
    const id = idInRun(run.state().facts, 'evolution');
    // As that version left it: the start was never judged, candidates measured themselves, and one was recorded at once.
    const request = { commit: B, base: A };
    run.wrote(
      asked({ kind: 'call', key: 'evolve/1/1/baseline', component: 'code.evaluate', request, timeoutSeconds: 9 }),
    );
    run.wrote(asked({ kind: 'command', key: 'evolve/1/1/start', type: 'evolution.start', target: id, data: {} }));
    run.receives('evolution', id, 'EvolutionStarted', { base: B, baseline: { ms: 9 } });
    for (const candidate of ['1.1', '1.2'])
      run.wrote(
        asked({
          ...{ kind: 'call', component: 'code.work', request: { evaluate: true }, timeoutSeconds: 9 },
          key: `evolve/1/1/candidate-${candidate}`,
        }),
      );
    const told = { kind: 'command', key: 'evolve/1/1/record-1.1', data: { candidate: '1.1' } } as const;
    run.receives('evolution', id, 'EvolutionGenerationOpened', {
      generation: 1,
      parent: B,
      candidates: ['1.1', '1.2'],
    });
    run.wrote(asked({ ...told, type: 'evolution.record-candidate', target: id }));
    run.succeeds('evolve/1/1/candidate-1.1', work(C, { ms: 3 }));
    run.succeeds('evolve/1/1/record-1.1');
    expect(run.open()).not.toContain('evolve/1/1/judge-1.1');

    run.succeeds('evolve/1/1/candidate-1.2', work(D, { ms: 4 }));
    run.succeeds('evolve/1/1/judge-1.2', judgement(D));
    expect(run.requested('evolve/1/1/record-1.2')).toMatchObject({ data: { metrics: { ms: 4 } } });
    run.receives('evolution', id, 'EvolutionCompleted', {
      commit: C,
      best: { id: '1.1', commit: C, metrics: { ms: 3 } },
    });
    run.succeeds('evolve/1/1/judge-1.1', judgement(C, testsFail));
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: B } });
  });
});
