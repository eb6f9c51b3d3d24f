import { describe, expect, it } from 'vitest';
import { idInRun } from './steps/run.ts';
import { B, claimed, evolve, generated, judgement, plan, publish, validated, type Run } from './testing.ts';

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

it('a run that began before there were budgets goes on as it would have', () => {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
  failsFirst(run, 100);
  expect(run.open()).toEqual(['generate/1/1/retry']);
});
