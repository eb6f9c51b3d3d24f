import type { Repository } from '@workledger/shared/config/schema.ts';
import type { TaskText } from '../environment.ts';
import type { ChatRequest } from '../models/providers.ts';
import { ANSWER_FORM } from './answer.ts';
import type { Shown } from './shown-files.ts';

type Words = {
  readonly task: TaskText;
  readonly repository: Pick<Repository, 'test' | 'protectedPaths'>;
  readonly shown: Shown;
  /** What of the code may matter, as it was gathered; null: nothing was. */
  readonly context: string | null;
  /** What an attempt before this one came to; null: there was none. */
  readonly feedback: string | null;
  readonly earlier: readonly string[];
};

const SYSTEM = `You change the code of a repository so that it does what a task asks for. You cannot run anything and cannot ask: you have what is shown.
Change as little as does it, in the style of what is there. You may change only files that are shown whole, and add new ones.
${ANSWER_FORM}`;

/** Likely words rather than others: the same task is to have the same answer. */
const TEMPERATURE = 0.1;

/** One request that asks a model to write the code of a task. */
export function chatOf({ task, repository, shown, context, feedback, earlier }: Words): ChatRequest {
  const parts = [
    `# ${task.title}`,
    task.description,
    task.words === null ? null : `## What a person says of the work so far\n${task.words}`,
    feedback,
    earlier.length === 0 ? null : ['## What did not do before', ...earlier.map((reason) => `- ${reason}`)].join('\n'),
    context === null ? null : `## What of the code may matter\n${context}`,
    `## Files of the repository\n${shown.paths.join('\n')}`,
    [...shown.files]
      .map(([path, text]) => `## ${path}, whole\n@@@ FILE ${path}\n${text.replace(/\n$/, '')}\n@@@ END`)
      .join('\n\n'),
    [
      '## Rules',
      ...(repository.protectedPaths.length === 0
        ? []
        : [`- These paths must not change: ${repository.protectedPaths.join(', ')}`]),
      `- The work is valid when this passes: ${repository.test.join(' ')}`,
    ].join('\n'),
  ];
  const content = parts.filter((part) => part !== null && part !== '').join('\n\n');
  return {
    temperature: TEMPERATURE,
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content },
    ],
  };
}
