import { z } from 'zod';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { childEnvironment } from '../process/run-process.ts';
import { sandboxFor } from '../sandbox/policy.ts';
import type { CodeAttempt } from './attempt.ts';
import { agentEnvironment, problemOf } from './commands.ts';
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
  request: AgentRequest & { readonly place: Place },
): Promise<AgentRun> {
  const { artefacts } = code.environment;
  const prompt = await promptOf(request, { ...code, agent });
  const promptArtefact = await artefacts.put(Buffer.from(prompt), 'text/markdown; charset=utf-8');
  const result = await code.attempt.run({
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
  const killed = result.ended === 'timeout' || result.signal !== null || result.limit !== null;
  const problem = judged === null || killed ? ended : judged.problem;
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

const resultSchema = z.looseObject({
  type: z.literal('result'),
  subtype: z.string().optional(),
  is_error: z.boolean().optional(),
  num_turns: z.number().optional(),
  result: z.string().optional(),
  errors: z.array(z.unknown()).optional(),
  total_cost_usd: z.number().min(0).optional(),
});

export type ClaudeOutcome = { readonly problem: string | null; readonly costUsd: number | null };

/**
 * Judges Claude Code's `--output-format json` or `stream-json` by its result object: the exit code says nothing, an API
 * error ends with 0 and `subtype: "success"`, a prompt that never ran with no turn.
 */
export function claudeOutcome(stdout: Buffer): ClaudeOutcome {
  const found = resultIn(stdout.toString('utf8'));
  if (found === null) return { problem: 'printed no result object: run it with --output-format json', costUsd: null };
  const said =
    found.result ??
    found.errors?.map((error) => (typeof error === 'string' ? error : JSON.stringify(error))).join('; ');
  const detail = said === undefined || said === '' ? '' : `: ${said.slice(0, 500)}`;
  const costUsd = found.total_cost_usd ?? null;
  if (found.is_error === true) return { problem: `the agent reports an error${detail}`, costUsd };
  if (found.subtype !== undefined && found.subtype !== 'success')
    return { problem: `the agent stopped with ${found.subtype}${detail}`, costUsd };
  if ((found.num_turns ?? 0) < 1) return { problem: `the agent did not take a turn${detail}`, costUsd };
  return { problem: null, costUsd };
}

function resultIn(text: string): z.infer<typeof resultSchema> | null {
  const whole = parse(text);
  const candidates: unknown[] = Array.isArray(whole) ? whole : [whole];
  const inLines = text.split('\n').filter((line) => line.trimStart().startsWith('{'));
  for (const value of [...inLines.map(parse), ...candidates].reverse()) {
    const read = resultSchema.safeParse(value);
    if (read.success) return read.data;
  }
  return null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
