import { z } from 'zod';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { artefact, metrics } from '@workledger/shared/contexts/values.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { lastLines } from '../failures.ts';

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

/** What the agent reads on its standard input. */
export async function promptOf(
  request: AgentRequest,
  repository: Repository,
  { artefacts, readTask }: Pick<ComponentEnvironment, 'artefacts' | 'readTask'>,
): Promise<string> {
  const { purpose, feedback, metrics, earlier = [] } = request.prompt;
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
    earlier.length === 0 ? null : ['## What did not do before', ...earlier.map((reason) => `- ${reason}`)].join('\n'),
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
