import { describe, expect, it } from 'vitest';
import type { CheckResult } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import {
  B,
  C,
  D,
  claimed,
  generated,
  judgement,
  plan,
  publish,
  reference,
  testsFail,
  turn,
  validated,
} from './testing.ts';
import { look, mergedByUs, opened, prepare, red, waits } from './testing/pulls.ts';

const check = (name: string, verdict: CheckResult['verdict']): CheckResult => ({
  ...{ name, verdict, reason: 'a reason', counts: null, newFindings: null, exitCode: 0, durationMs: 1 },
  ...{ report: null, findings: reference },
});
const named = { checks: [check('tests', 'passed'), check('lint', 'passed')] };

describe('a run whose repository has named checks', () => {
  it('writes down what each said, whether the work passed or not', () => {
    for (const failure of [null, testsFail]) {
      const run = claimed();
      run.succeeds('prepare/1/1/prepare', plan);
      generated(run);
      publish(run);
      run.succeeds('validate/1/1/submit');
      run.succeeds('validate/1/1/request');
      run.succeeds('validate/1/1/validate', { ...judgement(B, failure), ...named });
      expect(run.requested('validate/1/1/judge')).toMatchObject({
        type: failure === null ? 'validation.pass' : 'validation.fail',
        data: named,
      });
    }
  });

  it('shows at the commit what each of them has said so far', () => {
    const run = claimed();
    prepare(run, { ...mergedByUs, checks: ['tests', 'lint'] });
    generated(run);
    opened(run);
    expect(run.requested('open-pull-request/1/1/check')).toMatchObject({
      request: { state: 'in_progress', summary: '- tests: running\n- lint: running' },
    });
    validated(run, 1, 'failed', true, undefined, { checks: [check('tests', 'passed'), check('lint', 'failed')] });
    expect(run.requested('validate/1/1/check')).toMatchObject({
      request: { state: 'failure', summary: '- tests: passed: a reason\n- lint: failed: a reason' },
    });
    const without = waits();
    expect(without.requested('open-pull-request/1/1/check')).toMatchObject({
      request: { summary: '- tests: running' },
    });
    expect(without.requested('await-merge/1/1/check')).toMatchObject({ request: { summary: '- tests: passed' } });
  });

  it('shows them at the pull request when they passed, and takes them for no checks of others', () => {
    const run = claimed();
    prepare(run);
    generated(run);
    opened(run);
    validated(run, 1, 'passed', true, undefined, named);
    run.succeeds('await-merge/1/1/tell');
    run.succeeds('await-merge/1/1/check');
    expect(run.requested('await-merge/1/1/findings')).toMatchObject({
      ...{ component: 'github.findings', request: { commit: B, number: 7, under: 'workledger', ...named } },
    });
    run.succeeds('await-merge/1/1/findings', { shown: 2, review: 'none', comments: 0 });
    run.succeeds('await-merge/1/1/free');
    expect(run.requested('await-merge/1/1/look-1')).toMatchObject({
      request: { except: ['workledger', 'workledger/tests', 'workledger/lint'] },
    });
    look(run, 1, red('x'));
    expect(run.open()).toEqual(['await-merge/1/1/send-back']);
  });

  it('shows them when they refuse the work, before it goes back; where they cannot be shown it goes back without', () => {
    const run = claimed();
    prepare(run);
    generated(run);
    opened(run);
    validated(run, 1, 'back-to-work', true, undefined, { checks: [check('lint', 'failed')] });
    run.succeeds('validate/1/1/check');
    expect(run.open()).toEqual(['validate/1/1/findings']);
    run.fails('validate/1/1/findings', false, 'GitHub refuses');
    expect(run.open()).toEqual(['validate/1/1/send-back']);
  });

  it('shows nothing of checks where it was judged before they had names', () => {
    const run = claimed();
    prepare(run);
    generated(run);
    opened(run);
    validated(run, 1, 'passed');
    run.succeeds('await-merge/1/1/tell');
    run.succeeds('await-merge/1/1/check');
    expect(run.open()).toEqual(['await-merge/1/1/free']);
  });
});

describe('a check that could not tell, and asks', () => {
  const asking = { checks: [check('audit', 'asks')] };
  const passes = (prepared: object) => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', prepared);
    generated(run);
    publish(run);
    validated(run, 1, 'passed', true, undefined, asking);
    return run;
  };

  it('makes the run ask an operator before it merges', () => {
    const run = passes(plan);
    expect(run.requested('approve/1/1/ask-1')).toMatchObject({
      data: { commit: B, askee: { kind: 'role', role: 'operator' } },
    });
    run.succeeds('approve/1/1/ask-1', { details: { stands: 'approved' } });
    expect(run.open()).toEqual(['merge/1/1/enter']);
  });

  it('asks whom the registration names, where it names somebody', () => {
    const run = passes({ ...plan, approval: { kind: 'team', team: 'security' } });
    expect(run.requested('approve/1/1/ask-1')).toMatchObject({ data: { askee: { kind: 'team', team: 'security' } } });
  });

  it('asks nobody where nothing is merged', () => {
    expect(
      passes({ ...plan, merge: 'never' })
        .keys()
        .filter((key) => key.startsWith('approve/')),
    ).toEqual([]);
  });

  it('asks before Workledger itself merges a pull request, not before a person does', () => {
    for (const [prepared, asks] of [
      [mergedByUs, true],
      [undefined, false],
    ] as const) {
      const run = claimed();
      prepare(run, prepared);
      generated(run);
      opened(run);
      validated(run, 1, 'passed', true, undefined, asking);
      expect(run.open()).toEqual([asks ? 'approve/1/1/ask-1' : 'await-merge/1/1/tell']);
    }
  });

  it('asks where it asks only on what others merged', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    publish(run);
    validated(run, 1, 'passed');
    turn(run);
    run.succeeds('merge/1/1/merge', { outcome: 'base-moved', commit: null });
    run.succeeds('merge/1/1/rebase', { outcome: 'rebased', commit: D, base: C, samePatch: true });
    run.succeeds('merge/1/1/publish', { branch: 'workledger/x', commit: D });
    run.succeeds('merge/1/1/request');
    run.succeeds('merge/1/1/validate', { ...judgement(D), ...asking });
    run.succeeds('merge/1/1/judge');
    run.succeeds('merge/1/1/leave');
    expect(run.requested('approve/1/1/ask-1')).toMatchObject({ data: { commit: D, base: C } });
  });
});
