import type { Repository } from '@workledger/shared/config/schema.ts';
import { asOneText, judgedBy, rulesText } from '../code/prompt.ts';
import type { TaskText } from '../environment.ts';

/** What Codegen's agent is told. */
export const codegenPrompt = (
  { title, description }: TaskText,
  {
    repository,
    parent,
    soFar,
  }: {
    readonly repository: Repository;
    /** The commit that the work is to be on top of. */
    readonly parent: string;
    readonly soFar: readonly (string | null)[];
  },
): string =>
  asOneText([
    `# ${title}`,
    description,
    ...soFar,
    rulesText(
      `- Start from the branch ${repository.baseBranch} (from commit ${parent}, where that can be had), on a branch of your own.`,
      '- Offer the work by one pull request and do not merge it: it is taken from its branch, judged, and merged by others.',
      ...judgedBy(repository),
    ),
  ]);
