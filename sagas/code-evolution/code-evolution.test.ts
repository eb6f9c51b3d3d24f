import { describe, expect, it } from 'vitest';
import {
  backAtWork,
  A,
  B,
  C,
  D,
  claimed,
  diffStat,
  evolve,
  generated,
  judgement,
  plan,
  publish,
  reference,
  turn,
  validated,
} from './testing.ts';
import { because } from '../engine/component.ts';
import { absorb } from './absorb.ts';
import { noFacts } from './facts.ts';
import { earlierFailures } from './steps/run.ts';

describe('a claimed task of a command agent', () => {
  it('goes through all steps to a merged result', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'passed');
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: B, base: A });
    run.succeeds('merge/1/1/leave');
    run.succeeds('complete/1/1/diff', { diffStat, diff: reference });
    run.succeeds('complete/1/1/cleanup');
    expect(run.requested('complete/1/1/complete')).toMatchObject({
      type: 'task.complete',
      target: run.taskId,
      data: {
        claimId: run.claimId,
        result: { commit: B, branch: 'workledger/x', merged: true, costUsd: 0.5, diffStat },
      },
    });
    run.succeeds('complete/1/1/complete');
    expect(run.ended()).toBe('completed');
    expect(run.open()).toEqual([]);
  });

  it('asks for one thing at a time, each under a stable key, and ignores repeats', () => {
    const run = claimed();
    expect(run.open()).toEqual(['prepare/1/1/prepare']);
    expect(run.receivesAgain()).toEqual([]);
    run.succeeds('prepare/1/1/prepare', plan);
    expect(run.succeeds('prepare/1/1/prepare', plan)).toEqual([]);
    expect(run.open()).toEqual(['generate/1/1/request']);
  });

  it('tries the agent again after a pause, then gives up: undoes what was done and tells the task why', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    run.succeeds('generate/1/1/request');
    run.succeeds('generate/1/1/start');
    run.fails('generate/1/1/work', true);
    run.succeeds('generate/1/1/note');
    expect(run.open()).toEqual(['generate/1/1/retry']);
    run.succeeds('generate/1/1/retry');
    run.succeeds('generate/1/2/start');
    run.fails('generate/1/2/work', true, 'exit code 1');
    run.succeeds('generate/1/2/note');
    run.fails('undo/generate/1/cancel');
    expect(run.open()).toEqual(['undo/prepare/1/cleanup']);
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.requested('end/1/fail')).toMatchObject({
      type: 'task.fail',
      data: { failure: { reason: 'exit code 1' } },
    });
    run.succeeds('end/1/fail');
    expect(run.ended()).toBe('failed');
  });

  it('tells the second attempt why the first did not do, with its output, and what sent the work back before', () => {
    const run = backAtWork();
    run.succeeds('generate/2/1/start');
    const prompt = (key: string) => run.requested(key) as { request: { prompt: object } };
    const sentBack = prompt('generate/2/1/work').request.prompt;
    expect(sentBack).toMatchObject({ feedback: { log: reference } });
    run.fails('generate/2/1/work', true, 'the agent changed nothing', 0);
    run.succeeds('generate/2/1/note');
    run.succeeds('generate/2/1/retry');
    run.succeeds('generate/2/2/start');
    expect(prompt('generate/2/2/work').request.prompt).toMatchObject({
      feedback: { reason: 'tests fail', log: reference },
      earlier: ['the agent changed nothing'],
    });
  });

  it('tells later candidates why earlier ones failed, shortly and a few of them', () => {
    const facts = ['a', 'b', 'c', 'd', 'e', 'f'].reduce(
      (now, name) =>
        absorb(now, {
          type: 'SagaEffectFailed',
          data: {
            key: `evolve/1/1/candidate-${name}`,
            failure: { ...because('work', `no ${name}`), lastLines: ['x'.repeat(5_000)] },
            retryable: true,
            costUsd: null,
            prompt: null,
          },
        }),
      noFacts,
    );
    const { earlier = [] } = earlierFailures(facts);
    expect(earlier.map((reason) => reason.slice(0, 10))).toEqual(
      ['b', 'c', 'd', 'e', 'f'].map((name) => `work: no ${name}`),
    );
    expect(Math.max(...earlier.map(({ length }) => length))).toBe(300);
  });

  it('sends back work that cannot be measured, and tries a measuring that the machine failed again', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
    generated(run);
    run.succeeds('evolve/1/1/judge-start', judgement(B));
    run.fails('evolve/1/1/baseline', false, 'exit code 1');
    run.succeeds('evolve/1/1/submit');
    run.succeeds('evolve/1/1/send-back');
    generated(run, 2, C);
    expect(run.requested('generate/2/1/work')).toMatchObject({
      request: { prompt: { feedback: { reason: 'it cannot be measured: exit code 1' } } },
    });
    run.succeeds('evolve/2/1/judge-start', judgement(C));
    run.fails('evolve/2/1/baseline', true, 'no answer', null);
    run.succeeds('evolve/2/1/retry');
    run.fails('evolve/2/2/baseline', false, 'exit code 1');
    expect(run.open()).toEqual(['undo/evolve/1/cancel']);
  });

  it('goes to its end once it is merged, whatever is asked of the task then', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'passed');
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'merged', commit: B, base: A });
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'too late' });
    run.succeeds('merge/1/1/leave');
    run.fails('complete/1/1/diff');
    run.fails('complete/1/1/cleanup');
    run.fails('complete/1/1/complete', false, 'illegal-transition');
    expect(run.ended()).toBe('completed');
  });

  it('sends work back once with the report as context, then fails and deletes the branch before it tidies up', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'back-to-work', true, D);
    expect(run.requested('validate/1/1/send-back')).toMatchObject({
      type: 'task.send-back',
      data: { reason: 'tests fail', report: reference },
    });
    run.succeeds('validate/1/1/send-back');
    generated(run, 2, C);
    expect(run.requested('generate/2/1/work')).toMatchObject({
      request: { parent: D, prompt: { feedback: { reason: 'tests fail', log: reference } } },
    });
    publish(run, 2);
    validated(run, 2, 'failed');
    run.fails('undo/validate/1/cancel');
    expect(run.open()).toEqual(['undo/publish/1/delete-branch']);
    run.succeeds('undo/publish/1/delete-branch');
    run.succeeds('undo/prepare/1/cleanup');
    run.succeeds('end/1/fail');
    expect(run.requested('end/1/fail')).toMatchObject({ data: { failure: { step: 'test', exitCode: 1 } } });
    expect(run.steps().filter((step) => step.endsWith('compensated'))).toEqual([
      'validate compensated',
      'publish compensated',
      'prepare compensated',
    ]);
  });

  it('keeps the branch of work that passed its tests when a later step is refused', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'passed');
    turn(run);
    run.fails('merge/1/1/merge', false, 'the origin refuses');
    run.succeeds('undo/merge/1/leave');
    expect(run.open()).toEqual(['undo/prepare/1/cleanup']);
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.steps()).toContain('publish compensated');
    expect(run.requested('end/1/fail')).toMatchObject({ data: { failure: { reason: 'the origin refuses' } } });
  });

  it('merges what was judged: the commit with the protected paths restored is published first', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'passed', true, D);
    expect(run.requested('validate/1/1/publish-judged')).toMatchObject({
      component: 'code.publish',
      request: { commit: D },
    });
    run.succeeds('validate/1/1/publish-judged', {});
    turn(run);
    expect(run.requested('merge/1/1/merge')).toMatchObject({ request: { commit: D } });
  });

  it('on cancellation stops the agent first and undoes nothing before it has stopped', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    run.succeeds('generate/1/1/request');
    run.succeeds('generate/1/1/start');
    const events = run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'enough' });
    expect(events).toContainEqual({ type: 'SagaEffectCancelled', data: { key: 'generate/1/1/work' } });
    expect(run.open()).toEqual([]);
    run.fails('generate/1/1/work', false, 'cancelled');
    expect(run.open()).toEqual(['undo/generate/1/cancel']);
    run.succeeds('undo/generate/1/cancel');
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.ended()).toBe('cancelled');
  });
});
