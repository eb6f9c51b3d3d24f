import { z } from 'zod';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { AgentConfiguration, Repository } from '@workledger/shared/config/schema.ts';
import { artefact, metrics, type ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { failureOf, lastLines } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { childEnvironment } from '../process/run-process.ts';
import { sandboxFor } from '../sandbox/policy.ts';
import type { CodeAttempt } from './attempt.ts';
import { problemOf } from './judge.ts';

/** What an agent is told beside the task. */
export const promptSchema = z.object({
  purpose: z.enum(['generate', 'improve']),
  /** Whole text is in the artefact; the agent gets its end. */
  feedback: z.object({ reason: z.string(), log: artefact.nullable() }).nullable(),
  metrics: z.object({ metric: z.string(), direction: z.string(), current: metrics }).nullable(),
});
type AgentRequest = { readonly taskId: string; readonly label: string; readonly prompt: z.infer<typeof promptSchema> };

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
  request: AgentRequest,
): Promise<AgentRun> {
  const { artefacts } = code.environment;
  const prompt = await promptOf(request, code.repository, code.environment);
  const promptArtefact = await artefacts.put(Buffer.from(prompt), 'text/markdown; charset=utf-8');
  const result = await code.attempt.run({
    command: agent.command,
    cwd: checkout.path,
    environment: childEnvironment(agent.environment),
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

const FEEDBACK_LINES = 200;

/** What the agent reads on its standard input. */
async function promptOf(
  request: AgentRequest,
  repository: Repository,
  { artefacts, readTask }: Pick<ComponentEnvironment, 'artefacts' | 'readTask'>,
): Promise<string> {
  const { purpose, feedback, metrics } = request.prompt;
  const { title, description } = await readTask(request.taskId);
  const parts = [
    `# ${title}`,
    description,
    `## Purpose: ${purpose}`,
    purpose === 'generate'
      ? 'Change the code in the current folder so that it does what is asked above.'
      : 'The code in the current folder does what is asked above. Make it better by the metric below, without changing what it does.',
    metrics === null
      ? null
      : [
          '## Metric',
          `${metrics.direction} \`${metrics.metric}\`. Now: ${JSON.stringify(metrics.current)}`,
          repository.evaluate === null ? '' : `Measured by: ${repository.evaluate.join(' ')}`,
        ].join('\n'),
    feedback === null ? null : await feedbackText(feedback, artefacts),
    rulesFor(request.label, repository),
  ];
  return `${parts.filter((part) => part !== null && part !== '').join('\n\n')}\n`;
}

function rulesFor(label: string, repository: Repository): string {
  return [
    '## Rules',
    '- Edit files in the current folder only. It is a Git repository of its own; you need not commit.',
    protectedText(repository),
    `- The work is valid when this passes: ${repository.test.join(' ')}`,
    `- This attempt is called ${label}. Others may work on the same from the same start; find your own way.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function protectedText({ protectedPaths, protectCi }: Repository): string {
  const named = [...protectedPaths, ...(protectCi ? ['definitions of CI (.github/ and their like)'] : [])];
  return named.length === 0 ? '' : `- These paths must not change; changes to them do not count: ${named.join(', ')}`;
}

async function feedbackText(
  feedback: NonNullable<AgentRequest['prompt']['feedback']>,
  artefacts: Artefacts,
): Promise<string> {
  const stored = feedback.log === null ? null : await artefacts.get(feedback.log.digest);
  const lines = stored === null ? [] : lastLines(Buffer.from(stored.bytes), FEEDBACK_LINES);
  const log = lines.length === 0 ? [] : ['The end of its log:', ...lines.map((line) => `    ${line}`)];
  return ['## Feedback on the last attempt', feedback.reason, ...log].join('\n');
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
