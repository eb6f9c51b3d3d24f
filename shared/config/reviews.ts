import { z } from 'zod';

/** Which pull requests of others are reviewed, by whom, and what is said of them. */
export const reviewsSchema = z
  .strictObject({
    agent: z.string().min(1).describe('the configured agent that reviews'),
    authors: z
      .enum(['none', 'trusted', 'members', 'all'])
      .default('trusted')
      .describe(
        'whose pull requests are reviewed unasked: of those in trusted, of members and collaborators, or everybody',
      ),
    label: z.string().min(1).max(200).nullable().default(null).describe('also those with this label'),
    mention: z
      .boolean()
      .default(true)
      .describe('also those where somebody in trusted comments "@workledger review", or asks for its review'),
    verdict: z
      .enum(['comment', 'request-changes'])
      .default('comment')
      .describe('request-changes: a finding of severity high or above asks for changes'),
    approve: z.boolean().default(false).describe('true: a review without findings approves'),
    checks: z
      .boolean()
      .default(true)
      .describe('of authors in trusted: setup, tests and named checks are run on the head, too'),
    mostPerPull: z.int().min(1).max(100).default(10).describe('reviews of one pull request; then no more'),
    mostPerDay: z.int().min(1).max(1_000).default(50).describe('reviews of this repository in a day (UTC)'),
    timeoutSeconds: z.number().min(10).max(86_400).default(3_600).describe('for one review, its checks included'),
  })
  .nullable()
  .default(null);
export type Reviews = NonNullable<z.infer<typeof reviewsSchema>>;

type Configured = {
  readonly github: object | null;
  readonly agents: readonly { readonly name: string }[];
  readonly repositories: readonly { readonly github: string | null; readonly reviews: Reviews | null }[];
};

/** What the schema cannot say of it. One line a fault. */
export const reviewsFaults = ({ repositories, github, agents }: Configured): string[] =>
  repositories.flatMap(({ reviews, github: name }, index) => {
    if (reviews === null) return [];
    const place = `repositories[${index}]`;
    return [
      ...(name === null ? [`${place}.github: null → say owner/repository: "reviews" needs it`] : []),
      ...(github === null ? [`github: null → give token or app: ${place}.reviews needs a login`] : []),
      ...(agents.some((agent) => agent.name === reviews.agent)
        ? []
        : [`${place}.reviews.agent: "${reviews.agent}" → name one of "agents"`]),
    ];
  });
