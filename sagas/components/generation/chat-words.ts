import type { Repository } from '@workledger/shared/config/schema.ts';
import { asOneText, judgedBy, rulesText } from '../code/prompt.ts';
import type { TaskText } from '../environment.ts';
import type { ChatRequest } from '../models/providers.ts';
import type { Secrets } from '../secrets.ts';
import { ANSWER_FORM } from './answer.ts';
import type { Shown } from './shown-files.ts';

const SYSTEM = `You change the code of a repository so that it does what a task asks for. You cannot run anything and cannot ask: you have what is shown.
Change as little as does it, in the style of what is there. You may change only files that are shown whole, and add new ones.
${ANSWER_FORM}`;

/** Likely words rather than others: the same task is to have the same answer. */
const TEMPERATURE = 0.1;

/** One request that asks a model to write the code of a task. */
export function chatOf(
  { title, description }: TaskText,
  {
    repository,
    shown,
    context,
    soFar,
    secrets,
  }: {
    readonly repository: Repository;
    readonly shown: Shown;
    /** What of the code may matter, as it was gathered; null: nothing was. */
    readonly context: string | null;
    readonly soFar: readonly (string | null)[];
    readonly secrets: Secrets;
  },
): ChatRequest {
  const content = asOneText([
    `# ${title}`,
    description,
    ...soFar,
    context === null ? null : `## What of the code may matter\n${context}`,
    `## Files of the repository\n${shown.paths.join('\n')}`,
    ...[...shown.files].map(
      ([path, text]) => `## ${path}, whole\n@@@ FILE ${path}\n${text.replace(/\n$/, '')}\n@@@ END`,
    ),
    rulesText(...judgedBy(repository)),
  ]);
  return {
    temperature: TEMPERATURE,
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: secrets.text(content) },
    ],
  };
}
