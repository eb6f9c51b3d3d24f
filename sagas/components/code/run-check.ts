import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import type { CheckResult, Finding } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { Checkout } from '../git/checkout.ts';
import { countsOf, markNew } from '../reports/findings.ts';
import { judgeCheck, needsBase } from '../reports/policy.ts';
import type { CodeAttempt } from './code-component.ts';
import { baseFindings } from './base-findings.ts';
import type { CommandRun } from './commands.ts';
import type { At } from './setup.ts';
import { tell } from './tell-check.ts';

/** One named check, as it ran on the judged commit. */
export type CheckRun = {
  readonly result: CheckResult;
  /** Null: it did not run. */
  readonly run: CommandRun | null;
  readonly findings: readonly Finding[];
};

/** Runs one check in a prepared checkout, reads its report and judges by its policy. @throws ProcessNotStarted @throws the signal's reason on abort */
export async function runCheck(
  code: CodeAttempt,
  checkout: Checkout,
  work: At & { readonly base: string },
  check: CheckConfiguration,
): Promise<CheckRun> {
  const { run, outcome, report } = await tell(code, checkout, check);
  let told = 'told' in outcome ? outcome.told : null;
  let judgedBy = outcome;
  if (told !== null && 'told' in outcome && needsBase(check, told)) {
    const base = await baseFindings(code, work, check);
    if ('unavailable' in base) judgedBy = base;
    else {
      told = markNew(told, base.fingerprints);
      judgedBy = { ...outcome, told };
    }
  }
  const { artefacts } = code.environment;
  const isCompared = told?.some(({ isNew }) => isNew !== null) === true;
  const result: CheckResult = {
    ...{ name: check.name, ...judgeCheck(check, judgedBy) },
    counts: told === null ? null : countsOf(told),
    newFindings: isCompared ? (told ?? []).filter(({ isNew }) => isNew === true).length : null,
    ...{ exitCode: run.result.exitCode, durationMs: run.result.durationMs },
    report: report === null || report === '' ? null : await artefacts.put(Buffer.from(report), mediaTypeOf(check)),
    findings: told === null ? null : await artefacts.put(Buffer.from(JSON.stringify(told)), 'application/json'),
  };
  return { result, run: withoutReport(run, check), findings: told ?? [] };
}

/** A report that was printed is kept by itself: as one line of a log it would fill the next prompt. */
const withoutReport = (run: CommandRun, { report }: CheckConfiguration): CommandRun =>
  report?.path === null ? { ...run, result: { ...run.result, output: run.result.stderr } } : run;

const mediaTypeOf = ({ report }: CheckConfiguration): string =>
  report?.format === 'junit' ? 'application/xml' : 'application/json';
