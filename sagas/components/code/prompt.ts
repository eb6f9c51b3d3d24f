import { z } from 'zod';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { AgentConfiguration, Repository } from '@workledger/shared/config/schema.ts';
import { artefact, metrics } from '@workledger/shared/contexts/values.ts';
import { lastLines } from '../failures.ts';
import type { TaskText } from '../environment.ts';
import type { CodeAttempt } from './code-component.ts';
import type { Place } from './setup.ts';

/** What an agent is told beside the task. */
export const promptSchema = z.object({
  purpose: z.enum(['generate', 'improve']),
  /** Whole text is in the artefact; the agent gets its end. */
  feedback: z.object({ reason: z.string(), log: artefact.nullable() }).nullable(),
  /** Reasons why earlier attempts did not count, shortly. */
  earlier: z.array(z.string()).max(20).optional(),
  metrics: z.object({ metric: z.string(), direction: z.string(), current: metrics }).nullable(),
});
export type AgentRequest = {
  readonly taskId: string;
  readonly label: string;
  readonly prompt: z.infer<typeof promptSchema>;
};

const FEEDBACK_LINES = 200;

/** What the agent reads on its standard input. Variables are told by name, never by value. */
export async function promptOf(
  request: AgentRequest & { readonly place: Place; readonly context: string | null },
  { agent, repository, environment }: Pick<CodeAttempt, 'repository' | 'environment'> & { agent: AgentConfiguration },
): Promise<string> {
  const { artefacts, readTask } = environment;
  const { purpose, metrics } = request.prompt;
  const task = await readTask(request.taskId);
  return asOneText([
    `# ${task.title}`,
    task.description,
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
    ...(await soFar(task, request.prompt, artefacts)),
    request.context === null ? null : `## What of the code may matter\n${request.context}`,
    placeText(request.place, { agent, repository, sandboxed: Boolean(environment.sandbox) }),
    rulesText(
      '- Edit files in the current folder only. It is a Git repository of its own; you need not commit.',
      ...judgedBy(repository),
      `- This attempt is called ${request.label}. Others may work on the same from the same start; find your own way.`,
    ),
  ]);
}

/** A text for whoever writes code, of those parts that are there. */
export const asOneText = (parts: readonly (string | null)[]): string =>
  `${parts.filter((part) => part !== null && part !== '').join('\n\n')}\n`;

/** What came of a task so far: a person's words, the last attempt with the end of its log, and shortly those before. */
export async function soFar(
  { words }: Pick<TaskText, 'words'>,
  { feedback, earlier = [] }: AgentRequest['prompt'],
  artefacts: Artefacts,
): Promise<readonly (string | null)[]> {
  return [
    words === null ? null : `## What a person says of the work so far\n${words}`,
    feedback === null ? null : await feedbackText(feedback, artefacts),
    earlier.length === 0 ? null : ['## What did not do before', ...earlier.map((reason) => `- ${reason}`)].join('\n'),
  ];
}

const MOST_NAMES = 20;
const SETUP_LINES = 20;

const some = (names: readonly string[]): string =>
  names.length <= MOST_NAMES
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`;

/** What there is where the agent works. */
function placeText(
  { setup, made }: Place,
  { agent, repository, sandboxed }: { agent: AgentConfiguration; repository: Repository; sandboxed: boolean },
): string {
  const variables = [...new Set(['CI', ...Object.keys(repository.variables), ...agent.environment, ...agent.secrets])];
  const hosts = [...new Set([...repository.allowHosts, ...agent.allowHosts])];
  return [
    '## Where you work',
    ...setupText(setup, made),
    `- Run the tests: ${repository.test.join(' ')}`,
    ...(repository.evaluate === null ? [] : [`- Measure: ${repository.evaluate.join(' ')}`]),
    `- Variables that are set beside PATH, HOME and LANG: ${variables.join(', ')}`,
    ...(sandboxed
      ? [
          hosts.length === 0
            ? '- There is no network: nothing can be fetched.'
            : `- The network reaches these hosts only: ${hosts.join(', ')}`,
        ]
      : []),
    `- After ${agent.limits.timeoutSeconds} s you are stopped, and what you did does not count.`,
  ].join('\n');
}

function setupText(setup: Place['setup'], made: readonly string[]): string[] {
  if (setup === null) return ['- Nothing was installed: the folder is as a clone has it.'];
  const command = setup.command.join(' ');
  if (setup.problem === null)
    return [
      `- "${command}" has been run here; you need not run it again.`,
      ...(made.length === 0 ? [] : [`- It prepared: ${some(made)}. That is no part of the work.`]),
    ];
  const said = lastLines(setup.result.output, SETUP_LINES).map((line) => `    ${line}`);
  return [`- "${command}" was run here and failed (${setup.problem}):`, ...said];
}

export const rulesText = (...rules: readonly string[]): string => ['## Rules', ...rules].join('\n');

/** Rules by which work is judged, whoever wrote it. */
export const judgedBy = (repository: Repository): readonly string[] => [
  ...protectedText(repository),
  `- The work is valid when this passes: ${repository.test.join(' ')}`,
  ...checksText(repository),
];

/** What can refuse the work beside its tests. */
const checksText = ({ checks }: Repository): string[] =>
  checks
    .filter(({ policy }) => policy !== 'advisory')
    .map(({ name, command, policy }) => {
      const wanted =
        typeof policy === 'object'
          ? `it must find nothing of severity ${policy.failAt} or above${policy.onlyNew ? ' that was not there before' : ''}`
          : 'it must exit 0';
      return `- The check "${name}" is run on it, too, and ${wanted}: ${command.join(' ')}`;
    });

function protectedText({ protectedPaths, protectCi }: Repository): string[] {
  const named = [...protectedPaths, ...(protectCi ? ['definitions of CI (.github/ and their like)'] : [])];
  return named.length === 0 ? [] : [`- These paths must not change; changes to them do not count: ${named.join(', ')}`];
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
