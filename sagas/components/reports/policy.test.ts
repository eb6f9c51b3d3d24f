import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckPolicy } from '@workledger/shared/config/checks.ts';
import { type Finding, severities } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { judgeCheck, needsBase, type Outcome } from './policy.ts';

const finding = (severity: Finding['severity'], isNew: boolean | null = null): Finding => ({
  ...{ severity, rule: 'r', message: 'm', path: 'a', line: 1, fingerprint: 'f', isNew },
});
const ended = (exitCode: number, ...told: Finding[]): Outcome => ({ told, exitCode });
const bare = (exitCode: number): Outcome => ({ told: null, exitCode });
const failAt = (severity: Finding['severity'], onlyNew = false): CheckPolicy => ({ failAt: severity, onlyNew });

test.each<[CheckPolicy, Outcome, string, string]>([
  ['required', bare(0), 'passed', 'exit code 0'],
  ['required', bare(2), 'failed', 'exit code 2'],
  ['required', ended(0, finding('high')), 'passed', 'exit code 0, 1 finding (1 high)'],
  ['required', ended(1, finding('low')), 'failed', 'exit code 1, 1 finding (1 low)'],
  ['advisory', bare(1), 'advised', 'exit code 1'],
  ['advisory', bare(0), 'passed', 'exit code 0'],
  ['advisory', ended(0, finding('low')), 'advised', 'exit code 0, 1 finding (1 low)'],
  [failAt('high'), ended(1, finding('medium')), 'passed', '1 finding (1 medium)'],
  [failAt('high'), ended(0, finding('high')), 'failed', '1 finding (1 high): none of high or above may be'],
  [
    failAt('high'),
    ended(0, finding('critical'), finding('low')),
    'failed',
    '1 finding (1 critical): none of high or above may be',
  ],
  [failAt('high'), ended(1), 'passed', 'no findings'],
  [
    failAt('low', true),
    ended(1, finding('high', false)),
    'passed',
    '1 finding (1 high), of low or above only what the base has too',
  ],
  [
    failAt('low', true),
    ended(1, finding('high', true), finding('low', false)),
    'failed',
    '1 finding (1 high) that the base has not: none of low or above may be',
  ],
  [
    failAt('low', true),
    ended(1, finding('high', null)),
    'failed',
    '1 finding (1 high) that the base has not: none of low or above may be',
  ],
])('%j of %j is %s: %s', (policy, outcome, verdict, reason) => {
  expect(judgeCheck({ policy, onUnavailable: 'fail' }, outcome)).toEqual({ verdict, reason });
});

test.each([
  ['required', 'fail', 'failed'],
  ['required', 'pass', 'unavailable'],
  ['required', 'ask', 'asks'],
  [failAt('low'), 'fail', 'failed'],
  ['advisory', 'fail', 'unavailable'],
  ['advisory', 'ask', 'unavailable'],
] as const)('what cannot tell, as %j with onUnavailable %s, is %s', (policy, onUnavailable, verdict) => {
  const judgement = judgeCheck({ policy, onUnavailable }, { unavailable: 'no way there' });
  expect(judgement).toEqual({ verdict, reason: 'no way there' });
});

test('the base is asked for nothing that cannot decide', () => {
  expect(needsBase({ policy: failAt('high', true) }, [finding('low')])).toBe(false);
  expect(needsBase({ policy: failAt('high', true) }, [finding('high')])).toBe(true);
  expect(needsBase({ policy: failAt('high') }, [finding('high')])).toBe(false);
  expect(needsBase({ policy: 'required' }, [finding('high')])).toBe(false);
});

const aFinding = fc
  .record({ severity: fc.constantFrom(...severities), isNew: fc.constantFrom(true, false, null) })
  .map(({ severity, isNew }) => finding(severity, isNew));
const aPolicy = fc.oneof(
  fc.constantFrom<CheckPolicy>('required', 'advisory'),
  fc.record({ failAt: fc.constantFrom(...severities), onlyNew: fc.boolean() }),
);
const anOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ unavailable: fc.string({ minLength: 1 }) }),
  fc.record({ told: fc.option(fc.array(aFinding)), exitCode: fc.nat({ max: 255 }) }),
);
const onUnavailable = fc.constantFrom('fail', 'pass', 'ask');

test('one more finding never makes work good that was refused; a stricter threshold neither', () => {
  fc.assert(
    fc.property(fc.array(aFinding), aFinding, fc.nat({ max: 4 }), fc.boolean(), (told, more, at, onlyNew) => {
      const judge = (index: number, list: readonly Finding[]): string =>
        judgeCheck({ policy: failAt(severities[index]!, onlyNew), onUnavailable: 'fail' }, { told: list, exitCode: 0 })
          .verdict;
      if (judge(at, told) !== 'failed') return;
      expect(judge(at, [...told, more])).toBe('failed');
      expect(judge(Math.min(4, at + 1), told)).toBe('failed');
    }),
  );
});

test('what is advisory never refuses, only what cannot tell asks, and a reason is always given', () => {
  fc.assert(
    fc.property(aPolicy, onUnavailable, anOutcome, (policy, when, outcome) => {
      const { verdict, reason } = judgeCheck({ policy, onUnavailable: when }, outcome);
      if (policy === 'advisory') expect(['passed', 'advised', 'unavailable']).toContain(verdict);
      if (verdict === 'asks' || verdict === 'unavailable') expect(outcome).toHaveProperty('unavailable');
      expect(reason.length).toBeGreaterThan(0);
      expect(reason.length).toBeLessThanOrEqual(600);
    }),
  );
});
