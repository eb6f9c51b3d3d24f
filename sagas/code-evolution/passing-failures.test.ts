import { describe, expect, it } from 'vitest';
import { idInRun } from './steps/run.ts';
import {
  backAtWork,
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
  turn,
  validated,
  work,
} from './testing.ts';

const machine = { fault: 'component' } as const;
const origin = { fault: 'origin' } as const;

describe('what this machine cannot do', () => {
  it('before the agent began is no attempt of the agent’s; after it, it is one', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    run.succeeds('generate/1/1/request');
    for (const attempt of [1, 2, 3]) {
      run.succeeds(`generate/1/${attempt}/start`);
      run.fails(`generate/1/${attempt}/work`, true, 'no space left on device', null, machine);
      run.succeeds(`generate/1/${attempt}/retry`);
    }
    expect(run.requested('generate/1/4/start')).toMatchObject({ data: { attempt: 1 } });
    run.succeeds('generate/1/4/start');
    run.fails('generate/1/4/work', true, 'no space left on device', null, { ...machine, prompt: reference });
    run.succeeds('generate/1/4/note');
    run.succeeds('generate/1/4/retry');
    expect(run.requested('generate/1/5/start')).toMatchObject({ data: { attempt: 2 } });
  });

  it('is tried again nine times, and then it is the run that fails', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    for (let attempt = 1; attempt <= 9; attempt++) {
      run.fails(`publish/1/${attempt}/publish`, true, 'no space left on device', null, machine);
      if (attempt < 9) run.succeeds(`publish/1/${attempt}/retry`);
    }
    expect(run.open()).toEqual(['undo/publish/1/delete-branch']);
  });

  it('while the start is measured is nothing that an agent is paid for', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
    generated(run);
    run.succeeds('evolve/1/1/judge-start', judgement(B));
    for (const attempt of [1, 2, 3, 4]) {
      run.fails(`evolve/1/${attempt}/baseline`, true, 'no space left on device', null, machine);
      run.succeeds(`evolve/1/${attempt}/retry`);
    }
    expect(run.open()).toEqual(['evolve/1/5/baseline']);
  });
});

describe('a candidate that is paid', () => {
  it('is judged and measured again while the origin is away, and is never given up for that', () => {
    const { run } = evolving();
    run.succeeds('evolve/1/1/candidate-1.1', work(C));
    run.fails('evolve/1/1/judge-1.1', true, 'no connection', 128, origin);
    expect(run.open()).toEqual(['evolve/1/1/candidate-1.2', 'evolve/1/1/judge-1.1-pause-1']);
    run.succeeds('evolve/1/1/judge-1.1-pause-1');
    run.succeeds('evolve/1/1/judge-1.1-again-2', judgement(C));
    run.fails('evolve/1/1/measure-1.1', true, 'no connection', 128, origin);
    run.succeeds('evolve/1/1/measure-1.1-pause-1');
    run.succeeds('evolve/1/1/measure-1.1-again-2', measurement(3));
    expect(run.requested('evolve/1/1/record-1.1')).toMatchObject({ type: 'evolution.record-candidate' });
  });

  it('is written again where its agent had not begun, and failed where it had', () => {
    const { run } = evolving();
    run.fails('evolve/1/1/candidate-1.1', true, 'no connection', 128, origin);
    run.succeeds('evolve/1/1/candidate-1.1-pause-1');
    run.fails('evolve/1/1/candidate-1.1-again-2', true, 'exit code 1', 1, { fault: 'work' });
    expect(run.requested('evolve/1/1/record-1.1')).toMatchObject({ type: 'evolution.fail-candidate' });
  });

  it('counts with its cost when it comes in after the end', () => {
    const { run, id } = evolving();
    run.succeeds('evolve/1/1/candidate-1.2', work(D));
    candidate(run, '1.1', C, 3);
    evolved(run, id, { id: '1.1', commit: C });
    expect(run.requested('evolve/1/1/late-1.2')).toMatchObject({
      type: 'evolution.fail-candidate',
      data: { candidate: '1.2', costUsd: 0.5 },
    });
    run.succeeds('evolve/1/1/late-1.2');
    run.succeeds('evolve/1/1/compare-1.1', compared([9, 9, 9], [3, 3, 3]));
    expect(run.requested('publish/1/1/publish')).toMatchObject({ request: { commit: C } });
  });
});

it('what is undone is that of the round that was under way', () => {
  const run = backAtWork();
  run.succeeds('generate/2/1/start');
  run.receives('task', run.taskId, 'TaskCancelled', { reason: 'enough' });
  run.fails('generate/2/1/work', false, 'cancelled');
  expect(run.requested('undo/generate/1/cancel')).toMatchObject({
    target: idInRun(run.state().facts, 'generation', '2'),
  });
});

it('a validation that an earlier attempt to merge left open is cancelled by the next one', () => {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', { ...plan, merge: 'fast-forward', baseBranch: 'main' });
  generated(run);
  publish(run);
  validated(run, 1, 'passed');
  turn(run);
  run.succeeds('merge/1/1/merge', { outcome: 'base-moved', commit: B, base: C });
  run.succeeds('merge/1/1/rebase', { outcome: 'rebased', commit: D, base: C });
  run.succeeds('merge/1/1/publish', { branch: 'workledger/x', commit: D });
  run.succeeds('merge/1/1/request');
  const open = run.requested('merge/1/1/request') as { target: string };
  run.fails('merge/1/1/validate', true, 'killed', null, machine);
  run.succeeds('merge/1/1/retry');
  run.succeeds('merge/1/2/enter');
  expect(run.open()).toEqual(['merge/1/2/cancel-judging']);
  expect(run.requested('merge/1/2/cancel-judging')).toMatchObject({ type: 'validation.cancel', target: open.target });
});
