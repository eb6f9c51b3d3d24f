import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import { type CheckResult, type Finding, severities } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { countsOf } from './findings.ts';

/** How a check came out, before anything is decided. */
export type Outcome =
  /** Null: the check has no report. */
  | { readonly told: readonly Finding[] | null; readonly exitCode: number }
  /** Why it could not tell, in one line. */
  | { readonly unavailable: string };

type Rules = Pick<CheckConfiguration, 'policy' | 'onUnavailable'>;
type Judgement = Pick<CheckResult, 'verdict' | 'reason'>;

const REASON_LENGTH = 600;

/** Whether the base's findings are needed to judge this. */
export const needsBase = ({ policy }: Pick<Rules, 'policy'>, findings: readonly Finding[]): boolean =>
  typeof policy === 'object' && policy.onlyNew && counting(policy.failAt, findings).length > 0;

/** What follows from how a check came out, by the policy of the repository alone. */
export function judgeCheck(rules: Rules, outcome: Outcome): Judgement {
  const { verdict, reason } = decide(rules, outcome);
  return { verdict, reason: reason.slice(0, REASON_LENGTH).toWellFormed() };
}

function decide({ policy, onUnavailable }: Rules, outcome: Outcome): Judgement {
  if ('unavailable' in outcome) {
    const reason = outcome.unavailable;
    if (policy === 'advisory' || onUnavailable === 'pass') return { verdict: 'unavailable', reason };
    return onUnavailable === 'ask' ? { verdict: 'asks', reason } : { verdict: 'failed', reason };
  }
  const { told, exitCode } = outcome;
  if (typeof policy === 'object') return byFindings(policy, told ?? []);
  const reason = `exit code ${exitCode}${told === null || told.length === 0 ? '' : `, ${inWords(told)}`}`;
  if (exitCode === 0 && (policy === 'required' || (told ?? []).length === 0)) return { verdict: 'passed', reason };
  return { verdict: policy === 'required' ? 'failed' : 'advised', reason };
}

function byFindings({ failAt, onlyNew }: Exclude<Rules['policy'], string>, told: readonly Finding[]): Judgement {
  const all = counting(failAt, told);
  // Not compared is not known: it counts.
  const refusing = onlyNew ? all.filter(({ isNew }) => isNew !== false) : all;
  if (refusing.length > 0)
    return {
      verdict: 'failed',
      reason: `${inWords(refusing)}${onlyNew ? ' that the base has not' : ''}: none of ${failAt} or above may be`,
    };
  const old = all.length === 0 ? '' : `, of ${failAt} or above only what the base has too`;
  return { verdict: 'passed', reason: told.length === 0 ? 'no findings' : `${inWords(told)}${old}` };
}

const counting = (failAt: Finding['severity'], findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severities.indexOf(severity) <= severities.indexOf(failAt));

function inWords(findings: readonly Finding[]): string {
  const counts = countsOf(findings);
  const parts = severities.flatMap((severity) => (counts[severity] === 0 ? [] : [`${counts[severity]} ${severity}`]));
  return `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} (${parts.join(', ')})`;
}
