import { z } from 'zod';
import { evolutionPlan } from '../contexts/evolution/evolution/events.ts';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, 'letters, digits and . _ / - (no space)');
/** A command as a list: executable and arguments. There is no shell. */
const command = z.array(z.string().min(1)).min(1).describe('executable and arguments; run without a shell');
const seconds = z.number().positive().max(86_400);

const limits = z.strictObject({
  timeoutSeconds: seconds.default(900).describe('the whole process group is killed after this time'),
  maxOutputBytes: z
    .int()
    .min(1_024)
    .max(100_000_000)
    .default(5_000_000)
    .describe('output kept; the rest is dropped and said so'),
});

const secretSource = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })]);

/** Where a secret stands; the configuration never holds the secret itself. */
export type SecretSource = z.infer<typeof secretSource>;

/** What deliveries are verified with: two secrets while one replaces the other. */
const webhookSchema = z
  .strictObject({ secrets: z.array(secretSource).min(1).max(2) })
  .nullable()
  .default(null);

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
  setup: command.nullable().default(null).describe('run in every fresh worktree before test and evaluate'),
  test: command.describe('must exit 0 for work to be valid'),
  evaluate: command
    .nullable()
    .default(null)
    .describe('prints one JSON object of numbers as its last line: the metrics'),
  evolve: evolutionPlan
    .extend({
      candidates: evolutionPlan.shape.candidates.default(2),
      generations: evolutionPlan.shape.generations.default(3),
      target: evolutionPlan.shape.target.default(null),
      budgetUsd: evolutionPlan.shape.budgetUsd.default(null),
      patience: evolutionPlan.shape.patience.default(1),
    })
    .nullable()
    .default(null)
    .describe('null: no evolution'),
  protectedPaths: z
    .array(z.string().min(1))
    .default([])
    .describe('git pathspecs, restored from the base before validation'),
  merge: z.enum(['never', 'fast-forward']).default('never'),
  trusted: z.array(z.string().min(1)).default([]).describe('logins whose label starts work'),
  github: z
    .string()
    .regex(/^[^/\s]+\/[^/\s]+$/)
    .nullable()
    .default(null)
    .describe('owner/repository, for webhook deliveries'),
  webhook: webhookSchema.describe('secrets of its own: its deliveries are verified with these alone'),
  capabilities: z
    .array(z.string().min(1))
    .default(['code'])
    .describe('what an agent needs for tasks made from its issues'),
  limits: limits.prefault({}),
});
export type Repository = z.infer<typeof repositorySchema>;

export const agentSchema = z.strictObject({
  name,
  command: command.describe('the prompt comes on stdin; it works in its current folder, a worktree of its own'),
  capabilities: z.array(z.string().min(1)).default(['code']),
  capacity: z.int().min(1).max(64).default(1),
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .default([])
    .describe('names of variables handed on beside PATH, HOME, LANG'),
  output: z
    .enum(['text', 'claude-json'])
    .default('text')
    .describe('claude-json: success is judged by the result object, not by the exit code'),
  limits: limits.prefault({}),
});
export type AgentConfiguration = z.infer<typeof agentSchema>;

const ruleSchema = z.strictObject({
  name,
  provider: z.literal('github'),
  label: z.string().min(1).default('workledger').describe('the label that asks for work'),
  priority: z.int().min(1).max(5).default(3),
});

export const configurationSchema = z.strictObject({
  $schema: z.string().optional(),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8080).describe('0: any free port'),
  dataFolder: z.string().min(1).default('.workledger').describe('relative to this file'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  leaseSeconds: z
    .int()
    .min(2)
    .max(86_400)
    .default(60)
    .describe('an agent that does not report for so long loses its task'),
  heartbeatSeconds: z.int().min(1).max(3_600).default(30).describe('three missed: the agent counts as disconnected'),
  ageingSeconds: z
    .int()
    .min(1)
    .default(3_600)
    .describe('a waiting task becomes one priority more urgent after each such time'),
  webhooks: z.strictObject({ github: webhookSchema }).prefault({}),
  repositories: z.array(repositorySchema).default([]),
  agents: z.array(agentSchema).default([]),
  rules: z.array(ruleSchema).default([{ name: 'label', provider: 'github', label: 'workledger', priority: 3 }]),
});
export type Configuration = z.infer<typeof configurationSchema>;

/** The JSON Schema of `workledger.json`; `configuration.schema.json` is its published copy. */
export const configurationJsonSchema = (): Record<string, unknown> => ({
  title: 'Workledger configuration',
  ...z.toJSONSchema(configurationSchema, { target: 'draft-2020-12', io: 'input' }),
});
