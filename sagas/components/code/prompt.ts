import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';
import type { CodeEnvironment } from './environment.ts';
import { lastLines } from './failures.ts';
import type { WorkRequest } from './requests.ts';

const FEEDBACK_LINES = 200;

/** What the agent reads on its standard input. */
export async function promptOf(
  request: WorkRequest,
  repository: Repository,
  { artefacts, readTask }: Pick<CodeEnvironment, 'artefacts' | 'readTask'>,
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
    '- Edit files in the current folder only. It is a Git worktree of its own; you need not commit.',
    repository.protectedPaths.length === 0
      ? ''
      : `- These paths must not change; changes to them do not count: ${repository.protectedPaths.join(', ')}`,
    `- The work is valid when this passes: ${repository.test.join(' ')}`,
    `- This attempt is called ${label}. Others may work on the same from the same start; find your own way.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

async function feedbackText(
  feedback: NonNullable<WorkRequest['prompt']['feedback']>,
  artefacts: Artefacts,
): Promise<string> {
  const stored = feedback.log === null ? null : await artefacts.get(feedback.log.digest);
  const lines = stored === null ? [] : lastLines(Buffer.from(stored.bytes), FEEDBACK_LINES);
  const log = lines.length === 0 ? [] : ['The end of its log:', ...lines.map((line) => `    ${line}`)];
  return ['## Feedback on the last attempt', feedback.reason, ...log].join('\n');
}
