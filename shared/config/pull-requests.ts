import { z } from 'zod';
import type { ApprovalPolicy } from './approval.ts';

/** How the repository's work is merged where that is by pull requests. */
export const pullRequestSchema = z
  .strictObject({
    mergedBy: z
      .enum(['person', 'workledger'])
      .default('person')
      .describe('workledger: it merges as soon as checks are green and GitHub allows it'),
    method: z.enum(['merge', 'squash', 'rebase']).default('merge').describe('how Workledger merges it'),
    pollSeconds: z
      .number()
      .min(1)
      .max(3_600)
      .default(30)
      .describe(
        'an open one is looked at after so many seconds, later at longer intervals, up to twenty times as long',
      ),
    checksSeconds: z
      .number()
      .min(1)
      .max(86_400)
      .default(900)
      .describe('where checks ran on an earlier head and none starts on a new one within this time, a person is asked'),
    turnSeconds: z
      .number()
      .min(1)
      .max(604_800)
      .default(3_600)
      .describe('whose head was put onto a moved base keeps its turn so long, while it waits for people or checks'),
  })
  .prefault({});

export const publicUrl = z
  .url({ protocol: /^https?$/ })
  .nullable()
  .default(null)
  .describe('where people reach this Workledger: links in pull requests and checks lead there');

type Configured = {
  readonly github: object | null;
  readonly repositories: readonly {
    readonly merge: string;
    readonly github: string | null;
    readonly approval: ApprovalPolicy;
  }[];
};

/** What the schema cannot say of it. One line a fault. */
export const pullRequestFaults = ({ repositories, github }: Configured): string[] =>
  repositories.flatMap(({ merge, github: name, approval }, index) => {
    if (merge !== 'pull-request') return [];
    const place = `repositories[${index}]`;
    return [
      ...(name === null ? [`${place}.github: null → say owner/repository: "merge": "pull-request" needs it`] : []),
      ...(github === null ? [`github: null → give token or app: ${place}.merge "pull-request" needs a login`] : []),
      ...(approval === 'none'
        ? []
        : [`${place}.approval: with "merge": "pull-request" reviews on GitHub approve → leave it out`]),
    ];
  });
