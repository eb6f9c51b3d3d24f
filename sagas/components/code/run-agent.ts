import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { Worktree } from '../git/mirror.ts';
import { childEnvironment } from '../process/run-process.ts';
import { claudeOutcome } from './claude-result.ts';
import { failureOf } from './failures.ts';
import type { CodeAttempt } from './in-attempt.ts';
import { problemOf } from './run-command.ts';

export type AgentRun = {
  readonly exitCode: number | null;
  readonly durationMs: number;
  readonly costUsd: number | null;
  readonly prompt: ArtefactReference;
  /** Everything it printed, within the limit. */
  readonly output: ArtefactReference;
  /** The failure of this run with all that is known about it. */
  fail(reason: string, retryable?: boolean): ComponentFailure;
};

/** Lets an agent work in a worktree, the prompt on its standard input. @throws ComponentFailure when it did not succeed */
export async function runAgent(
  code: CodeAttempt,
  agent: AgentConfiguration,
  worktree: Worktree,
  prompt: string,
): Promise<AgentRun> {
  const { artefacts } = code.environment;
  const promptArtefact = await artefacts.put(Buffer.from(prompt), 'text/markdown; charset=utf-8');
  const result = await code.attempt.run({
    command: agent.command,
    cwd: worktree.path,
    environment: childEnvironment(agent.environment),
    stdin: prompt,
    timeoutMs: agent.limits.timeoutSeconds * 1_000,
    maxOutputBytes: agent.limits.maxOutputBytes,
    signal: code.signal,
    killStrays: true,
  });
  code.signal.throwIfAborted();
  const output = await artefacts.put(result.output, 'text/plain; charset=utf-8');
  const judged = agent.output === 'claude-json' ? claudeOutcome(result.stdout) : null;
  const costUsd = judged?.costUsd ?? null;
  const { exitCode, durationMs } = result;
  const fail = (reason: string, retryable = true): ComponentFailure => {
    const parts = { command: agent.command, exitCode, output: result.output, log: output };
    const options = { retryable, fault: 'work', costUsd, prompt: promptArtefact } as const;
    return new ComponentFailure(failureOf('work', reason, parts), options);
  };
  const ended = problemOf(result, agent.limits.timeoutSeconds);
  const killed = result.ended === 'timeout' || result.signal !== null;
  const problem = judged === null || killed ? ended : judged.problem;
  if (problem !== null) throw fail(`agent "${agent.name}": ${problem}`);
  return { exitCode, durationMs, costUsd, prompt: promptArtefact, output, fail };
}
