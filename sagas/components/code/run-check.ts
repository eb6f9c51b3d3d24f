import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import type { CheckResult, Finding } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { Checkout } from '../git/checkout.ts';
import { countsOf, findingsOf, markNew } from '../reports/findings.ts';
import { judgeCheck, needsBase, type Outcome } from '../reports/policy.ts';
import { readReport } from '../reports/read-report.ts';
import { refusalIn } from '../reports/unavailable.ts';
import type { CodeAttempt } from './attempt.ts';
import { baseFindings } from './base-findings.ts';
import { type CommandRun, runCommands } from './commands.ts';
import { linesOf, removeReport, takeReport } from './report-file.ts';
import type { At } from './setup.ts';

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
  return { result, run, findings: told ?? [] };
}

const mediaTypeOf = ({ report }: CheckConfiguration): string =>
  report?.format === 'junit' ? 'application/xml' : 'application/json';

export type Told = { readonly run: CommandRun; readonly outcome: Outcome; readonly report: string | null };

/** Runs its command, and reads what it says. */
export async function tell(code: CodeAttempt, checkout: Checkout, check: CheckConfiguration): Promise<Told> {
  const { command, report, timeoutSeconds } = check;
  if (report !== null && report.path !== null) await removeReport(checkout.path, report.path);
  const step = { step: check.name, command };
  const seconds = timeoutSeconds ?? code.repository.limits.timeoutSeconds;
  const [run] = await runCommands(code, checkout, [step], { seconds });
  if (run === undefined) throw new Error('a check has a command');
  const { result, problem } = run;
  const { exitCode } = result;
  if (exitCode === null || result.limit !== null || result.ended !== 'exit')
    return { run, outcome: { unavailable: `it did not come to its end: ${problem}` }, report: null };
  const refusal = exitCode === 0 ? null : refusalIn(result.output.toString('utf8'));
  if (report === null)
    // A linter without a report that fails has failed; what its output may quote is none of our business.
    return { run, outcome: { told: null, exitCode }, report: null };
  const taken =
    report.path === null
      ? takeOutput(result.stdout, result.droppedBytes)
      : await takeReport(checkout.path, report.path);
  if ('problem' in taken) return { run, outcome: { unavailable: refusal ?? taken.problem }, report: null };
  const text = code.secrets.text(taken.bytes.toString('utf8')).toWellFormed();
  const read = readReport(report.format, text);
  if ('unavailable' in read) return { run, outcome: read, report: text };
  if ('problem' in read) return { run, outcome: { unavailable: refusal ?? read.problem }, report: text };
  const findings = findingsOf(read.reported, checkout.path, await linesOf(checkout.path, read.reported));
  return { run, outcome: { told: findings, exitCode }, report: text };
}

const takeOutput = (stdout: Buffer, dropped: number): { bytes: Buffer } | { problem: string } =>
  dropped > 0 ? { problem: `its output is over the limit: ${dropped} bytes of it were dropped` } : { bytes: stdout };
