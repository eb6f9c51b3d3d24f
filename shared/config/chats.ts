import { z } from 'zod';
import { addressFaults, type outboundSchema } from './outbound.ts';
import { secretSource } from './secret-source.ts';

const emoji = z
  .string()
  .regex(/^[\w+'-]{1,100}$/, 'the name of an emoji, without its colons')
  .optional();

/** How Workledger speaks to Slack: as the app whose deliveries it takes. */
export const slackSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .default('https://slack.com/api')
      .describe('of its Web API'),
    token: secretSource.describe('the bot token of the app, xoxb-…'),
    reactions: z
      .strictObject({ started: emoji, review: emoji, done: emoji, failed: emoji, cancelled: emoji })
      .prefault({})
      .describe('emoji on the message that work was asked for with, by how far it is; left out: none'),
  })
  .nullable()
  .default(null);

const state = z.string().min(1).max(200).optional();

/** How Workledger speaks to Linear. */
export const linearSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .default('https://api.linear.app')
      .describe('of its API, up to /graphql'),
    token: secretSource.describe('an API key (lin_api_…), or a token of OAuth'),
    states: z
      .strictObject({ started: state, review: state, done: state, failed: state, cancelled: state })
      .prefault({})
      .describe(
        'workflow states of the issue, by their names in its team, by how far its work is; left out: untouched',
      ),
  })
  .nullable()
  .default(null);

type Configured = {
  readonly outbound: z.infer<typeof outboundSchema>;
  readonly slack: z.infer<typeof slackSchema>;
  readonly linear: z.infer<typeof linearSchema>;
  readonly repositories: readonly { readonly slack: string | null; readonly tell: readonly ('slack' | 'linear')[] }[];
};

/** What the schema cannot say of it. One line a fault. */
export const chatFaults = ({ outbound, slack, linear, repositories }: Configured): string[] => [
  ...(slack === null ? [] : addressFaults('slack.url', slack.url, outbound)),
  ...(linear === null ? [] : addressFaults('linear.url', linear.url, outbound)),
  ...repositories.flatMap(({ tell, slack: channel }, index) => {
    const place = `repositories[${index}]`;
    return tell.flatMap((kind) => [
      ...((kind === 'slack' ? slack : linear) === null
        ? [`${kind}: null → give token: ${place}.tell needs a login`]
        : []),
      ...(kind === 'slack' && channel === null ? [`${place}.slack: null → say a channel: "tell" needs it`] : []),
    ]);
  }),
];
