import { TESTS } from '@workledger/shared/config/checks.ts';
import type { CheckResult } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { ArtefactReference, Failure } from '@workledger/shared/contexts/values.ts';
import { failureOf } from '../failures.ts';
import { lineOfFinding } from '../reports/findings.ts';
import type { CommandRun } from './commands.ts';
import type { CheckRun } from './run-check.ts';

/** Of each check, in a report and in what the next attempt reads. */
const MOST_LINES = 40;

export const runsOf = (checks: readonly CheckRun[]): CommandRun[] => checks.flatMap(({ run }) => run ?? []);

/** At the end of the report, which the next attempt of the work reads: what each check says, findings by file and line. */
export function reportOfChecks(checks: readonly CheckRun[]): Buffer {
  const parts = ordered(checks).map(({ result: { name, verdict, reason }, findings }) => {
    const told = [...findings].sort((one, other) => Number(other.isNew !== false) - Number(one.isNew !== false));
    const lines = told
      .slice(0, MOST_LINES)
      .map((one) => `${lineOfFinding(one)}${one.isNew === false ? ' (the base has it too)' : ''}`);
    const more = told.length > MOST_LINES ? [`… and ${told.length - MOST_LINES} more`] : [];
    return [`check ${name}: ${verdict}: ${reason}`, ...lines, ...more].join('\n');
  });
  return Buffer.from(parts.length === 0 ? '' : `${parts.join('\n\n')}\n`);
}

/** What refuses the work comes last: of a long report the end is read. */
const ordered = (checks: readonly CheckRun[]): CheckRun[] => [
  ...checks.filter(({ result }) => result.verdict !== 'failed'),
  ...checks.filter(({ result }) => result.verdict === 'failed'),
];

const LAST_LINES = 20;

/** Why the work does not do: what its tests say, and each check that refuses it. */
export function withFailedChecks(
  failure: Failure | null,
  checks: readonly CheckRun[],
  log: ArtefactReference,
): Failure | null {
  const refusing = checks.filter(({ result }) => result.verdict === 'failed');
  const [first] = refusing;
  if (first === undefined) return failure;
  const words = refusing.map(({ result: { name, reason } }) => `check "${name}": ${reason}`).join('; ');
  if (failure !== null) return failureOf(failure.step, `${failure.reason}; ${words}`, { ...partsOf(failure), log });
  const lines = refusing.flatMap(({ findings }) => findings.filter(({ isNew }) => isNew !== false).map(lineOfFinding));
  const { run } = first;
  return failureOf('check', words, {
    ...(run !== null && { command: run.command }),
    ...{ exitCode: first.result.exitCode, log },
    output: lines.length === 0 ? (run?.result.output ?? '') : lines.slice(0, LAST_LINES).join('\n'),
  });
}

const partsOf = ({ command, exitCode, lastLines }: Failure) => ({
  ...(command !== null && { command }),
  ...{ exitCode, output: lastLines.join('\n') },
});

/** The repository's `test`, as one of its checks. */
export function ofTests(runs: readonly CommandRun[]): CheckResult {
  const run = runs.find(({ step }) => step === 'test');
  const said = run === undefined ? 'setup failed, so they did not run' : (run.problem ?? 'exit code 0');
  return {
    ...{ name: TESTS, verdict: run?.problem === null ? 'passed' : 'failed', reason: said },
    ...{ counts: null, newFindings: null, report: null, findings: null },
    ...{ exitCode: run?.result.exitCode ?? null, durationMs: run?.result.durationMs ?? 0 },
  };
}
