import { metrics as schema, type Failure, type Metrics } from '@workledger/shared/contexts/values.ts';
import { failureOf } from '../failures.ts';
import type { Worktree } from '../git/mirror.ts';
import { childEnvironment, type ProcessResult } from '../process/run-process.ts';
import type { CodeAttempt } from './attempt.ts';

/** One command of the registration, as it ran. `problem`: why it does not count as passed. */
export type CommandRun = {
  readonly step: string;
  readonly command: readonly string[];
  readonly result: ProcessResult;
  readonly problem: string | null;
};

/**
 * Runs commands of the repository's registration in a worktree, one after the other, until one does not pass.
 * @throws ProcessNotStarted @throws the signal's reason on abort
 */
export async function runCommands(
  code: CodeAttempt,
  worktree: Worktree,
  commands: readonly { step: string; command: readonly string[] | null }[],
): Promise<CommandRun[]> {
  const { timeoutSeconds, maxOutputBytes } = code.repository.limits;
  const runs: CommandRun[] = [];
  for (const { step, command } of commands) {
    if (command === null) continue;
    const result = await code.attempt.run({
      command,
      cwd: worktree.path,
      environment: childEnvironment(),
      timeoutMs: timeoutSeconds * 1_000,
      maxOutputBytes,
      signal: code.signal,
      killStrays: true,
    });
    code.signal.throwIfAborted();
    const problem = problemOf(result, timeoutSeconds);
    runs.push({ step, command, result, problem });
    if (problem !== null) break;
  }
  return runs;
}

/** Why a finished process counts as failed; null when it exited with 0 within its time. */
export function problemOf(result: ProcessResult, timeoutSeconds: number): string | null {
  if (result.ended === 'timeout') return `no end within ${timeoutSeconds} s`;
  if (result.signal !== null) return `killed by ${result.signal}`;
  return result.exitCode === 0 ? null : `exit code ${result.exitCode}`;
}

/** What ran, how it ended and all its output, to be read by a person. */
export function reportOf(runs: readonly CommandRun[]): Buffer {
  const parts = runs.flatMap(({ step, command, result, problem }) => [
    Buffer.from(`[${step}] ${command.join(' ')}\n`),
    result.output,
    Buffer.from(`\n[${step}] ${problem ?? 'exit code 0'}, ${(result.durationMs / 1_000).toFixed(1)} s\n\n`),
  ]);
  return Buffer.concat(parts);
}

/** The failure of the last command; null when all passed. */
export function failureOfRuns(runs: readonly CommandRun[], log: Failure['log']): Failure | null {
  const last = runs.at(-1);
  if (last === undefined || last.problem === null) return null;
  const { step, command, problem, result } = last;
  return failureOf(step, problem, { command, exitCode: result.exitCode, output: result.output, log });
}

/** Metrics of one measurement; an event has its limit. */
const METRICS = 200;
const NAME_LENGTH = 100;

/** What the last line that is not empty tells: metrics, or why they are none. */
export function readMetrics(output: Buffer): { readonly metrics: Metrics } | { readonly problem: string } {
  const line = output.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  const found = parse(line.trim());
  const names = typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.keys(found) : [];
  if (names.length > METRICS)
    return { problem: `printed ${names.length} metrics: at most ${METRICS} are kept, print fewer` };
  if (names.some((name) => name.length > NAME_LENGTH))
    return { problem: `printed a metric whose name is longer than ${NAME_LENGTH} characters: shorten it` };
  const read = schema.safeParse(found);
  if (names.length > 0 && read.success) return { metrics: read.data };
  return { problem: 'printed no metrics: its last line must be one JSON object of finite numbers' };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
