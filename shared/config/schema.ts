import { z } from 'zod';
import { isNetwork } from '../security/peer.ts';
import { agentOptionsSchema, agentProfileNames, withProfile } from './agent-profiles.ts';
import { approvalPolicy } from './approval.ts';
import { linearSchema, slackSchema } from './chats.ts';
import { checksSchema } from './checks.ts';
import { githubSchema, outboundSchema } from './outbound.ts';
import { pluginSchema } from './plugins.ts';
import { access, command, limits, variables } from './programs.ts';
import { name, ownWebhookSchema, placesSchema, ruleSchema, webhooksSchema } from './intake-schema.ts';
import { outgoingWebhooksSchema } from './outgoing-webhooks.ts';
import { workflowsSchema } from './workflows.ts';
import { publicUrl, pullRequestSchema } from './pull-requests.ts';
import { reviewsSchema } from './reviews.ts';
import { messagesSchema, retentionSchema } from './retention.ts';
import { secretSource } from './secret-source.ts';
import { modelSchema } from './models.ts';
import { evolutionSchema } from './evolution.ts';
import { codegenSchema, generateSchema } from './generation.ts';
import { flagSchema } from './flags.ts';
import { overlaysSchema } from './overlays.ts';
import { ownersSchema } from './installed.ts';
import { environmentName } from '../contexts/sync/configuration/events.ts';
import { strategy } from '../contexts/sync/document/events.ts';

const usd = z.number().min(0).nullable().default(null);
const budgetsSchema = z
  .strictObject({
    taskUsd: usd.describe('for a task, in all its runs: over it, nothing more is paid for it; null: no limit'),
    dayUsd: usd.describe(
      'for a day (UTC): over it, no agent of the configuration is started till the next; null: no limit',
    ),
  })
  .prefault({});

export const repositorySchema = z.strictObject({
  name: name.describe('how tasks and rules name it'),
  url: z
    .string()
    .min(1)
    .describe('anything that git can fetch from and push to: a path (relative to this file), file://, https:// or ssh'),
  baseBranch: z.string().min(1).default('main'),
  agent: name
    .nullable()
    .default(null)
    .describe('the configured agent that improves candidates; default: the one that claimed the task'),
  setup: command
    .nullable()
    .default(null)
    .describe('prepares a fresh worktree for the agent, test and evaluate; what it makes is kept and copied'),
  setupInputs: z
    .array(z.string().min(1))
    .default([])
    .describe('git pathspecs of what setup reads beside manifests and lock files: when it changes, setup runs anew'),
  setupCache: z.boolean().default(true).describe('false: setup runs in every worktree'),
  test: command.describe('must exit 0 for work to be valid'),
  evaluate: command
    .nullable()
    .default(null)
    .describe('prints one JSON object of numbers as its last line: the metrics'),
  evolve: evolutionSchema.nullable().default(null).describe('null: no evolution'),
  protectedPaths: z
    .array(z.string().min(1))
    .default([])
    .describe('git pathspecs, restored from the base before anything is pushed to a branch, and before validation'),
  protectCi: z
    .boolean()
    .default(true)
    .describe(
      'also protect what a host runs by itself: .github, .gitlab-ci.yml, .circleci, Jenkinsfile and their like',
    ),
  litter: z
    .array(
      z
        .string()
        .min(1)
        .regex(/^[^\r\n]+$/),
    )
    .default([])
    .describe(
      'beside the usual: new files that are no work, as lines of a .gitignore; "!*" takes all of them for work',
    ),
  environment: variables.describe('names of variables that its commands get beside PATH, HOME, LANG'),
  secrets: variables.describe('like environment; values are hidden in whatever is kept'),
  variables: z
    .record(z.string().regex(/^(?!(PATH|HOME|TMPDIR)$)[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .default({})
    .describe('variables and their values, for its commands and its agents; CI=1 unless said otherwise'),
  merge: z
    .enum(['never', 'fast-forward', 'squash', 'pull-request'])
    .default('never')
    .describe('squash: what lands on the base branch is one commit, its tree the judged one; pull-request: on GitHub'),
  pullRequest: pullRequestSchema,
  approval: approvalPolicy
    .default('none')
    .describe(
      'who approves a merge: none, before-merge (an operator), { "role": … } or { "team": … }; administrators always may',
    ),
  ...placesSchema,
  webhook: ownWebhookSchema.describe('secrets of its own: its deliveries are verified with these alone'),
  capabilities: z
    .array(z.string().min(1))
    .default(['code'])
    .describe('what an agent needs for tasks made from its issues'),
  budgets: budgetsSchema.describe("of this repository's tasks, US dollars; taskUsd null: that of all"),
  ...access,
  limits: limits.prefault({}),
  checks: checksSchema,
  reviews: reviewsSchema.describe('of pull requests of others, on GitHub; null: none'),
  context: z
    .strictObject({
      tokens: z
        .int()
        .min(0)
        .max(200_000)
        .default(4_000)
        .describe('the most that a prompt tells of the code, found by the words of the task; 0: nothing'),
    })
    .prefault({})
    .describe('what agents are told of the code beside their task'),
  generate: generateSchema.describe('who may write code beside the agent that claimed a task; null: nobody'),
  documents: z
    .strictObject({
      strategy: strategy.default('manual').describe('how a field is settled that was changed on both sides'),
    })
    .prefault({})
    .describe('of shared documents that belong to it, where they name none'),
});
export type Repository = z.infer<typeof repositorySchema>;

/** Repositories that GitHub tells: what it tells of each, and what is asked for elsewhere, is not said of all. */
const installedSchema = z.strictObject({
  of: ownersSchema,
  each: repositorySchema
    .omit({ name: true, url: true, baseBranch: true, github: true, linear: true, slack: true, webhook: true })
    .describe('how each of them is worked on'),
});

/** Why work for a repository waits that was registered once. */
export const notRegistered = (repository: string): string =>
  `repository "${repository}" is not in the configuration: add it under "repositories" and start again`;

const agentFields = z.strictObject({
  name,
  profile: z
    .enum(agentProfileNames)
    .default('command')
    .describe('how it is started, read and judged; command: as its command says, by its exit code or `output`'),
  command: command
    .optional()
    .describe('it works in its current folder, a worktree of its own; of a profile: what its flags come after'),
  options: agentOptionsSchema.prefault({}).describe('what the profile makes flags of'),
  capabilities: z.array(z.string().min(1)).default(['code']),
  capacity: z.int().min(1).max(64).default(1),
  environment: variables.describe('names of variables handed on beside PATH, HOME, LANG'),
  secrets: variables.describe('like environment; values are hidden in whatever is kept'),
  output: z
    .enum(['text', 'claude-json'])
    .default('text')
    .describe('claude-json: success is judged by the result object, not by the exit code'),
  ...access,
  limits: limits.prefault({}),
});
export const agentSchema = agentFields.transform(withProfile);
export type AgentConfiguration = z.infer<typeof agentSchema>;

const tlsSchema = z
  .union([
    z.strictObject({
      certificate: z.string().min(1).describe('PEM file with the certificate and those that vouch for it'),
      key: z.string().min(1).describe('PEM file with its key'),
    }),
    z.strictObject({
      domain: z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'a name like ledger.example.org'),
      email: z.string().min(3).describe('whom the authority writes to'),
      directory: z.url().optional().describe("of another authority than Let's Encrypt (ACME)"),
    }),
  ])
  .nullable()
  .default(null);

/** Of whoever computes what texts mean: any endpoint that answers as OpenAI's `/embeddings` does. */
const embeddingsSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('its address up to /embeddings, such as http://127.0.0.1:11434/v1'),
  model: z.string().min(1).max(200).describe('as the endpoint names it; another one, and all is computed anew'),
  dimensions: z.int().min(8).max(4_096).describe('numbers in each of its embeddings'),
  key: secretSource.nullable().default(null).describe('sent as a bearer token; null: none'),
  insecureHttp: z.boolean().default(false).describe('true: texts may go to another machine without TLS'),
  timeoutSeconds: z.number().positive().max(300).default(30).describe('for one batch; a query waits a tenth of it'),
  batch: z.int().min(1).max(256).default(32).describe('texts in one request'),
});

export const configurationSchema = z.strictObject({
  $schema: z.string().optional(),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8080).describe('0: any free port'),
  trustedProxies: z
    .array(
      z.string().refine(isNetwork, 'an address, or address/bits').meta({ pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$' }),
    )
    .max(100)
    .default([])
    .describe('addresses or networks of gateways whose X-Forwarded-For is believed'),
  tls: tlsSchema.describe('HTTPS: by files, or (only behind the gateway) by a name that ACME gives a certificate for'),
  insecureHttp: z.boolean().default(false).describe('true: a host beyond this machine may be listened on without tls'),
  dataFolder: z.string().min(1).default('.workledger').describe('relative to this file'),
  sandbox: z
    .enum(['auto', 'required', 'off'])
    .default('auto')
    .describe('of agents and commands. auto: where it can run; required: no start without it'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  leaseSeconds: z
    .int()
    .min(2)
    .max(86_400)
    .default(60)
    .describe('an agent that does not report for so long loses its task'),
  heartbeatSeconds: z.int().min(1).max(3_600).default(30).describe('three missed: the agent counts as disconnected'),
  issueOfferSeconds: z
    .int()
    .min(1)
    .max(604_800)
    .default(900)
    .describe('an agent that is asked to take an issue answers within this time; then the next one is asked'),
  drainSeconds: z
    .number()
    .min(0)
    .max(86_400)
    .default(60)
    .describe(
      'at a stop, agents at work may finish within this time; then they are ended, and begin anew at the next start',
    ),
  retention: retentionSchema.prefault({}),
  messages: messagesSchema.prefault({}),
  ageingSeconds: z
    .int()
    .min(1)
    .default(3_600)
    .describe('a waiting task becomes one priority more urgent after each such time'),
  embeddings: embeddingsSchema
    .nullable()
    .default(null)
    .describe('what finds knowledge by its meaning; null: it is found by its words alone'),
  github: githubSchema.describe('how Workledger speaks to GitHub; null: not at all'),
  linear: linearSchema.describe('how Workledger speaks to Linear; null: not at all'),
  slack: slackSchema.describe('how Workledger speaks to Slack; null: not at all'),
  outbound: outboundSchema.describe('whom components may call'),
  publicUrl,
  budgets: budgetsSchema.describe('of all repositories together, US dollars, as agents tell what they cost'),
  webhooks: webhooksSchema,
  repositories: z.array(repositorySchema).default([]),
  agents: z.array(agentSchema).default([]),
  rules: z.array(ruleSchema).default([{ name: 'label', provider: 'github', label: 'workledger', priority: 3 }]),
  plugins: z
    .array(pluginSchema)
    .default([])
    .describe('what adds components, providers, handlers of events, middleware'),
  outgoingWebhooks: outgoingWebhooksSchema.describe('where events may be sent that others subscribe to'),
  workflows: workflowsSchema.describe('where steps of workflows may reach'),
  models: z.array(modelSchema).max(50).default([]).describe('language models that Workledger itself may ask'),
  codegen: codegenSchema.describe('how Workledger speaks to Codegen; null: not at all'),
  environment: environmentName
    .default('production')
    .describe('what this system is: which values of those that were set by the API are its own'),
  flags: z.array(flagSchema).default([]).describe('what is on for some only'),
  overlays: overlaysSchema,
  installed: installedSchema
    .nullable()
    .default(null)
    .describe('repositories that the GitHub App is installed for are registered, without a restart; null: none are'),
});
export type Configuration = z.infer<typeof configurationSchema>;

/** The JSON Schema of `workledger.json`; `configuration.schema.json` is its published copy. */
export const configurationJsonSchema = (): Record<string, unknown> => ({
  title: 'Workledger configuration',
  ...z.toJSONSchema(configurationSchema, { target: 'draft-2020-12', io: 'input' }),
});
