import type { AgentConfiguration, Repository } from '@workledger/shared/config/schema.ts';
import type { Checkout } from '../git/checkout.ts';
import { childEnvironment, type ProcessResult } from '../process/run-process.ts';
import { sandboxFor } from '../sandbox/policy.ts';
import type { CodeAttempt } from './code-component.ts';

/** Tools ask nothing, and print for a log. */
const CONSTANTS = { CI: '1' };

/** The whole environment of a repository's commands. */
export const commandEnvironment = (
  { environment, secrets, variables }: Repository,
  from: NodeJS.ProcessEnv = process.env,
): Record<string, string> => ({ ...CONSTANTS, ...childEnvironment([...environment, ...secrets], from), ...variables });

/** The whole environment of an agent: its own, and what the repository says outright; never the repository's variables by name. */
export const agentEnvironment = (
  { environment, secrets }: AgentConfiguration,
  { variables }: Repository,
  from: NodeJS.ProcessEnv = process.env,
): Record<string, string> => ({ ...CONSTANTS, ...variables, ...childEnvironment([...environment, ...secrets], from) });

/** One command of the registration, as it ran. `problem`: why it does not count as passed. */
export type CommandRun = {
  readonly step: string;
  readonly command: readonly string[];
  readonly result: ProcessResult;
  readonly problem: string | null;
};

/**
 * Runs commands of the repository's registration in a checkout, one after the other, until one does not pass.
 * @throws ProcessNotStarted @throws the signal's reason on abort
 */
export async function runCommands(
  code: CodeAttempt,
  checkout: Checkout,
  commands: readonly { step: string; command: readonly string[] | null }[],
  { home, seconds }: { readonly home?: 'setup'; readonly seconds?: number } = {},
): Promise<CommandRun[]> {
  const { maxOutputBytes, timeoutSeconds: usual } = code.repository.limits;
  const timeoutSeconds = seconds ?? usual;
  const runs: CommandRun[] = [];
  for (const { step, command } of commands) {
    if (command === null) continue;
    const result = await code.attempt.run({
      command,
      cwd: checkout.path,
      environment: commandEnvironment(code.repository),
      timeoutMs: timeoutSeconds * 1_000,
      maxOutputBytes,
      sandbox: sandboxFor(code, { home }, checkout),
      limits: code.repository.limits,
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
  if (result.limit !== null) return `over its limit of ${result.limit}`;
  if (result.ended === 'timeout') return `no end within ${timeoutSeconds} s`;
  if (result.signal !== null) return `killed by ${result.signal}`;
  return result.exitCode === 0 ? null : `exit code ${result.exitCode}`;
}
