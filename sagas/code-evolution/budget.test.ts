import { describe, expect, it } from 'vitest';
import { idInRun } from './steps/run.ts';
import {
  B,
  C,
  claimed,
  evolve,
  generated,
  judgement,
  plan,
  publish,
  reference,
  validated,
  type Run,
} from './testing.ts';
import { green, look, mergedByUs, open, pauseOver, red, url, waits } from './testing/pulls.ts';

const within = (limitUsd: number, spentUsd = 0): Run => {
  const run = claimed('command', 'sample', { budget: { limitUsd, spentUsd } });
  run.succeeds('prepare/1/1/prepare', plan);
  return run;
};

function failsFirst(run: Run, costUsd: number): void {
  run.succeeds('generate/1/1/request');
  run.succeeds('generate/1/1/start');
  run.fails('generate/1/1/work', true, 'the agent changed nothing', 0, { costUsd });
  run.succeeds('generate/1/1/note');
}

function failureOf(run: Run): unknown {
  while (run.requested('end/1/fail') === undefined) run.succeeds(run.open()[0] ?? 'nothing is open');
  return (run.requested('end/1/fail') as { data: { failure: unknown } }).data.failure;
}

describe('a task with a budget', () => {
  it('has no second attempt once the first has spent it, and says what the first came to', () => {
    const run = within(1, 0.6);
    failsFirst(run, 0.5);
    expect(run.open()).not.toContain('generate/1/1/retry');
    expect(failureOf(run)).toMatchObject({
      step: 'budget',
      reason: 'over its budget of $1.00: spent $1.10; the agent changed nothing',
    });
  });

  it('is tried again while there is money left', () => {
    const run = within(1, 0.4);
    failsFirst(run, 0.5);
    expect(run.open()).toEqual(['generate/1/1/retry']);
  });

  it('starts no agent at all where earlier runs have spent it', () => {
    const run = within(1, 1.25);
    expect(run.open().filter((key) => key.startsWith('generate/1/1/'))).toEqual([]);
    expect(failureOf(run)).toMatchObject({ reason: 'over its budget of $1.00: spent $1.25' });
    expect(run.requested('generate/1/1/work')).toBeUndefined();
  });

  it.each([
    [0.5, undefined],
    [0.75, 'task.send-back'],
  ])('of $%d goes back to its agent only while there is money left', (limitUsd, sent) => {
    const run = within(limitUsd);
    generated(run);
    publish(run);
    validated(run, 1, 'back-to-work');
    expect(run.requested('validate/1/1/send-back')).toEqual(sent && expect.objectContaining({ type: sent }));
    if (sent === undefined)
      expect(failureOf(run)).toMatchObject({ reason: 'over its budget of $0.50: spent $0.50; tests fail' });
  });

  it.each([
    [5, 1, null, 3.5],
    [5, 1, 2, 2],
    [1, 0.75, null, 0],
  ])('of $%d, $%d spent before, evolves with what is left of it', (limitUsd, spentUsd, budgetUsd, left) => {
    const run = claimed('command', 'sample', { budget: { limitUsd, spentUsd } });
    run.succeeds('prepare/1/1/prepare', { ...plan, evolve: { ...evolve, budgetUsd } });
    generated(run);
    run.succeeds('evolve/1/1/judge-start', judgement(B));
    run.succeeds('evolve/1/1/baseline', { metrics: { ms: 9 } });
    expect(run.requested('evolve/1/1/start')).toMatchObject({
      target: idInRun(run.state().facts, 'evolution'),
      data: { plan: { ...evolve, budgetUsd: left } },
    });
  });
});

describe('a pull request whose task has spent its budget', () => {
  const spent = { limitUsd: 1, spentUsd: 0.5 };
  const goesOn = (run: Run) => {
    pauseOver(run, 2);
    expect(run.open()).toContain('await-merge/1/1/look-2');
    expect([run.ended(), run.requested('undo/open-pull-request/1/close')]).toEqual([null, undefined]);
    expect(run.requested('await-merge/1/1/send-back')).toBeUndefined();
  };

  it('stays when its checks fail: a person is told what failed, and what was spent', () => {
    const run = waits(undefined, spent);
    look(run, 1, red('one'));
    const comment = run.requested('await-merge/1/1/give-up') as { request: { text: string } } | undefined;
    expect(comment).toMatchObject({ request: { number: 7, about: 'checks' } });
    for (const said of ['budget of its task is spent', 'failed now: "ci"', 'over its budget of $1.00: spent $1.00'])
      expect(comment?.request.text).toContain(said);
    expect(run.open()).toEqual(['await-merge/1/1/give-up']);
    run.succeeds('await-merge/1/1/give-up', { outcome: 'written', id: 1, url });
    goesOn(run);
    look(run, 2, { ...open, state: 'merged', mergeCommit: C });
    expect(run.state().facts).toMatchObject({ merged: true });
  });

  it('stays when a person wants changes, who is told so, once, and is not merged over it', () => {
    const run = waits(mergedByUs, spent);
    const wanted = { ...green, wanted: { report: reference, heard: { comment: 11, review: 3, note: 0 } } };
    look(run, 1, wanted);
    expect(run.requested('await-merge/1/1/unheard')).toMatchObject({
      request: { number: 7, about: 'changes', text: expect.stringContaining('over its budget of $1.00: spent $1.00') },
    });
    run.succeeds('await-merge/1/1/unheard', { outcome: 'written', id: 1, url });
    goesOn(run);
    look(run, 2, wanted);
    expect(run.open()).toEqual(['await-merge/1/1/pause-3']);
    expect(run.keys().filter((key) => key.includes('/merge-'))).toEqual([]);
  });

  it('goes back while there is money left', () => {
    const run = waits(undefined, { limitUsd: 1, spentUsd: 0.4 });
    look(run, 1, red('one'));
    expect(run.open()).toEqual(['await-merge/1/1/send-back']);
  });
});

it('a run that began before there were budgets goes on as it would have', () => {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
  failsFirst(run, 100);
  expect(run.open()).toEqual(['generate/1/1/retry']);
});
