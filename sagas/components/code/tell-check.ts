import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import type { Checkout } from '../git/checkout.ts';
import { findingsOf } from '../reports/findings.ts';
import type { Outcome } from '../reports/policy.ts';
import { readReport } from '../reports/read-report.ts';
import { refusalIn } from '../reports/unavailable.ts';
import type { CodeAttempt } from './code-component.ts';
import { type CommandRun, runCommands } from './commands.ts';
import { linesOf, removeReport, takeReport } from './report-file.ts';

type Told = { readonly run: CommandRun; readonly outcome: Outcome; readonly report: string | null };

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
