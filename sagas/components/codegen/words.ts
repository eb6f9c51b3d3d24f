import type { TaskText } from '../environment.ts';

type Words = {
  readonly task: TaskText;
  readonly baseBranch: string;
  /** The commit that the work is to be on top of. */
  readonly parent: string;
  readonly test: readonly string[];
  readonly feedback: string | null;
  readonly earlier: readonly string[];
};

/** What Codegen's agent is told. */
export function codegenPrompt({ task, baseBranch, parent, test, feedback, earlier }: Words): string {
  const parts = [
    `# ${task.title}`,
    task.description,
    task.words === null ? null : `## What a person says of the work so far\n${task.words}`,
    feedback,
    earlier.length === 0 ? null : ['## What did not do before', ...earlier.map((reason) => `- ${reason}`)].join('\n'),
    [
      '## Rules',
      `- Start from the branch ${baseBranch} (from commit ${parent}, where that can be had), on a branch of your own.`,
      '- Offer the work by one pull request and do not merge it: it is taken from its branch, judged, and merged by others.',
      `- The work is valid when this passes: ${test.join(' ')}`,
    ].join('\n'),
  ];
  return `${parts.filter((part) => part !== null && part !== '').join('\n\n')}\n`;
}
