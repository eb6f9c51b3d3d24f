import { z } from 'zod';
import { secretSource } from './secret-source.ts';

/** What is registered under it, in whatever else names it. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, 'letters, digits and . _ / - (no space)');

/** Whose deliveries are taken. */
const providers = ['github', 'linear', 'slack'] as const;

const secrets = z.array(secretSource).min(1).max(2);
/** What deliveries are verified with: two secrets while one replaces the other. */
const webhook = z.strictObject({ secrets }).nullable().default(null);

/** Of a repository of its own. */
export const ownWebhookSchema = z
  .strictObject({ secrets, provider: z.enum(providers).default('github').describe('whose deliveries these are') })
  .nullable()
  .default(null);

const linearWebhook = z
  .strictObject({
    secrets,
    maxAgeSeconds: z
      .int()
      .min(60)
      .max(604_800)
      .default(28_800)
      .describe('older deliveries are refused; Linear sends what failed again for 7 h, with its first time in it'),
  })
  .nullable()
  .default(null);

/** By provider. */
export const webhooksSchema = z.strictObject({ github: webhook, linear: linearWebhook, slack: webhook }).prefault({});

/** What a repository is called where its work is asked for, and who may. */
export const placesSchema = {
  tell: z
    .array(z.enum(['slack', 'linear']))
    .max(2)
    .default([])
    .describe(
      'where else than at its source each task is told of: in the channel, on the issue of Linear that its source or pull request is attached to',
    ),
  trusted: z
    .array(
      z
        .string()
        .regex(
          /^([^:\s]+|github:[^:\s]+|linear:[^:\s]+|slack:[A-Za-z0-9]+(\/[A-Za-z0-9]+)?|(gitea|gitlab|x-[a-z0-9-]+):\S+)$/,
          'a login of GitHub, linear:<e-mail or id>, slack:<member id>, or <provider of a plugin>:<name>',
        ),
    )
    .default([])
    .describe('whose asking starts work: logins of GitHub, linear:<e-mail or id>, slack:<member id>'),
  github: z
    .string()
    .regex(/^[^/\s]+\/[^/\s]+$/)
    .nullable()
    .default(null)
    .describe('owner/repository, for webhook deliveries and pull requests'),
  linear: z
    .string()
    .regex(
      /^[A-Za-z0-9_]{1,30}(\/\S(.{0,198}\S)?)?$/,
      'the key of a team, such as ENG, or with a project of it, such as ENG/Search',
    )
    .nullable()
    .default(null)
    .describe('key of a team, or team/project (its name or id), for webhook deliveries'),
  slack: z
    .string()
    .regex(/^[CGD][A-Z0-9]{2,30}$/, 'the id of a channel, such as C0123ABCD (not its name)')
    .nullable()
    .default(null)
    .describe('id of a channel, for webhook deliveries'),
};

const priority = z.int().min(1).max(5).default(3);
const asked = z.string().min(1).max(200).optional();

const githubRule = z.strictObject({
  name,
  provider: z.literal('github'),
  label: z.string().min(1).default('workledger').describe('the label that asks for work'),
  priority,
});

const LINEAR_ASKS = ['label', 'assignee', 'mention'] as const;
const linearRule = z
  .strictObject({
    name,
    provider: z.literal('linear'),
    label: asked.describe('the label that asks for work'),
    assignee: asked.describe('work is asked for by assigning or delegating to them: their e-mail, id or name'),
    mention: z
      .string()
      .regex(/^\w([\w.-]{0,98}\w)?$/, 'the name that follows the @, without it')
      .optional()
      .describe('work is asked for by a comment with @ and this name'),
    team: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,30}$/, 'the key of a team, such as ENG')
      .optional()
      .describe('only for issues of the team with this key'),
    priority,
  })
  .refine(...oneOf(LINEAR_ASKS));

const SLACK_ASKS = ['mention', 'reaction', 'command', 'message'] as const;
const slackRule = z
  .strictObject({
    name,
    provider: z.literal('slack'),
    mention: z.literal(true).optional().describe('true: work is asked for by a message that mentions the app'),
    reaction: z
      .string()
      .regex(/^[\w+'-]{1,100}$/, 'the name of an emoji, without its colons')
      .optional()
      .describe('work is asked for by this emoji on a message'),
    command: z
      .string()
      .regex(/^\/\S{1,99}$/, 'a slash and a name, such as /workledger')
      .optional()
      .describe('the slash command that asks for work'),
    message: asked.describe('work is asked for by a message that begins with this'),
    priority,
  })
  .refine(...oneOf(SLACK_ASKS));

/** For `refine`: that a rule has one of these, and no other. */
function oneOf<Ask extends string>(asks: readonly Ask[]) {
  const hasOne = (rule: { readonly [Name in Ask]?: unknown }): boolean =>
    asks.filter((ask) => rule[ask] !== undefined).length === 1;
  return [hasOne, `say by one of these how work is asked for: ${asks.join(', ')}`] as const;
}

export const ruleSchema = z.discriminatedUnion('provider', [githubRule, linearRule, slackRule], {
  error: `use one of: ${providers.join(', ')}`,
});
