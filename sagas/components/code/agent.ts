import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { childEnvironment } from '../process/run-process.ts';
import { sandboxFor } from '../sandbox/policy.ts';
import type { CodeAttempt } from './attempt.ts';
import { agentNotes } from './agent-notes.ts';
import { agentEnvironment, problemOf } from './commands.ts';
import { claudeOutcome, textLimit } from './outcome.ts';
import { promptOf, type AgentRequest } from './prompt.ts';
import type { Place } from './setup.ts';

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

/** Lets an agent work in a checkout, the prompt on its standard input. @throws ComponentFailure when it did not succeed */
export async function runAgent(
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  request: AgentRequest & { readonly place: Place; readonly context: string | null },
): Promise<AgentRun> {
  return runPrompted(code, agent, checkout, await promptOf(request, { ...code, agent }));
}

/** As `runAgent`, with words that are no task's. @throws ComponentFailure when it did not succeed */
export async function runPrompted(
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  prompt: string,
): Promise<AgentRun> {
  const { artefacts } = code.environment;
  const promptArtefact = await artefacts.put(Buffer.from(prompt), 'text/markdown; charset=utf-8');
  const over = new AbortController();
  const running = code.attempt.run({
    command: agent.command,
    cwd: checkout.path,
    environment: agentEnvironment(agent, code.repository),
    stdin: prompt,
    timeoutMs: agent.limits.timeoutSeconds * 1_000,
    maxOutputBytes: agent.limits.maxOutputBytes,
    sandbox: sandboxFor(code, { agent }, checkout),
    limits: agent.limits,
    signal: code.signal,
    killStrays: true,
    onOutput: agentNotes(code, agent, over.signal),
  });
  const result = await running.finally(() => over.abort());
  code.signal.throwIfAborted();
  const output = await artefacts.put(result.output, 'text/plain; charset=utf-8');
  const judged = agent.output === 'claude-json' ? claudeOutcome(result.stdout, result.stderr) : null;
  const costUsd = judged?.costUsd ?? null;
  const { exitCode, durationMs } = result;
  const parts = { command: agent.command, exitCode, output: result.output, log: output };
  const isOpen = judged?.isOpen === true && exitCode === 0;
  const fail = (reason: string, retryable = true): ComponentFailure => {
    const options = { retryable, fault: 'work', costUsd, prompt: promptArtefact } as const;
    const whole = isOpen ? `${reason} (${judged.problem ?? ''})` : reason;
    return new ComponentFailure(failureOf('work', whole, parts), options);
  };
  const ended = problemOf(result, agent.limits.timeoutSeconds);
  const killed = result.ended === 'timeout' || result.signal !== null || result.limit !== null;
  const problem = judged === null || killed || isOpen ? ended : judged.problem;
  const limit = killed || problem === null ? null : judged === null ? textLimit(result.output) : judged.limit;
  if (problem !== null && limit)
    throw new ComponentFailure(failureOf('work', `agent "${agent.name}": ${problem}`, parts), {
      ...{ retryable: true, fault: 'limit', until: limit.until, prompt: promptArtefact },
    });
  if (problem !== null) throw fail(`agent "${agent.name}": ${problem}`);
  return { exitCode, durationMs, costUsd, prompt: promptArtefact, output, fail };
}

const GIT_TIMEOUT_MS = 300_000;
const GIT_OUTPUT_BYTES = 65_536;

/** Runs git where an agent worked, with no more rights than that agent had. @returns its exit code */
export async function gitInside(
  code: CodeAttempt,
  checkout: Checkout,
  agent: AgentConfiguration,
  args: readonly string[],
): Promise<number | null> {
  const { exitCode } = await code.attempt.run({
    command: ['git', ...args],
    cwd: checkout.path,
    environment: childEnvironment(),
    sandbox: sandboxFor(code, { agent }, checkout),
    timeoutMs: GIT_TIMEOUT_MS,
    maxOutputBytes: GIT_OUTPUT_BYTES,
    signal: code.signal,
    killStrays: true,
  });
  code.signal.throwIfAborted();
  return exitCode;
}
