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
import { claudeOutcome, textLimit } from './outcome.ts';

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
