import { z } from 'zod';
import { role } from '../../agent/key/events.ts';
import { participant } from '../../participant.ts';
import { text, uuid, word } from '../../text.ts';

const MOST_STEPS = 1_000;
/** Bytes as JSON: it stands in the event that starts a run, with what it was given. */
export const LARGEST_DEFINITION = 190_000;
export const LARGEST_INPUTS = 30_000;
const LONGEST_SECONDS = 366 * 86_400;
const DEEPEST = 20;

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'a letter, then letters, digits and underscores, 63 in all at most');
const expressionText = text(1_000, 1).describe('CEL over inputs, steps.<id>.result and run.id');

/**
 * What a step is given: JSON, in which `{"$from": "/inputs/title"}` stands for what is there, and `{"$cel": "inputs.n + 1"}` for what
 * comes of it.
 */
export const template = z.json().refine((value) => isFlat(value, DEEPEST), `nested ${DEEPEST} deep at most`);
export type Template = z.infer<typeof template>;

function isFlat(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((item) => isFlat(item, left - 1));
}

const templates = z.record(z.string().max(200), template);
const textOrValue = z.union([
  text(10_000, 1),
  z.strictObject({ $from: text(500, 1) }),
  z.strictObject({ $cel: expressionText }),
]);
const seconds = z.union([
  z.int().min(0).max(LONGEST_SECONDS),
  z.strictObject({ $from: text(500, 1) }),
  z.strictObject({ $cel: expressionText }),
]);

const command = {
  command: text(100, 1).describe('one that workflows may send, such as `task.create`'),
  target: textOrValue.optional().describe('id of what it is for; left out where the command makes one'),
  data: templates.optional(),
};
const call = { component: text(100, 1).describe('one that workflows may call'), request: templates };

const compensation = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('command'), ...command }),
    z.strictObject({ kind: z.literal('call'), ...call }),
  ])
  .describe('undoes the step when the run fails or is cancelled after it; in reverse order');
export type Compensation = z.infer<typeof compensation>;

const common = {
  id: name,
  after: z
    .array(z.union([name, z.strictObject({ step: name, choice: word })]))
    .max(100)
    .optional()
    .describe('the steps it waits for; of a choice, which one leads here. Left out: it begins at once'),
  join: z
    .enum(['all', 'any'])
    .optional()
    .describe(
      'all (default): skipped unless every one of `after` leads here; any: one is enough, when all are settled',
    ),
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(20).describe('in all'),
      backoffSeconds: z.number().min(0).max(3_600).optional().describe('before the second; doubles. Default 1'),
    })
    .optional(),
  timeoutSeconds: z.int().min(1).max(LONGEST_SECONDS).optional().describe('for one attempt'),
  compensation: compensation.optional(),
};

export const askee = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('participant'), participant }),
  z.strictObject({ kind: z.literal('role'), role: role.exclude(['service']) }),
  z.strictObject({ kind: z.literal('team'), team: word }),
]);

export const step = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('command'), ...common, ...command }),
  z.strictObject({ kind: z.literal('call'), ...common, ...call }),
  z.strictObject({
    ...{ kind: z.literal('wait'), ...common },
    events: z
      .array(
        z
          .string()
          .max(200)
          .regex(/^workledger\.[a-z][a-z-]*\.[A-Z][A-Za-z]*$/, 'such as workledger.task.TaskCompleted'),
      )
      .min(1)
      .max(20),
    failsOn: z.array(z.string().max(200)).max(20).optional().describe('those of `events` that fail the step'),
    of: textOrValue.optional().describe('id of what it happens to; left out: of any'),
    where: z
      .array(
        z.strictObject({ field: text(500, 1).describe('JSON pointer into the data of the event'), equals: template }),
      )
      .max(10)
      .optional(),
  }),
  z.strictObject({
    ...{ kind: z.literal('approval'), ...common },
    askee,
    text: textOrValue,
    choices: z.array(text(200, 1)).min(1).max(20).optional().describe('default: approve, refuse'),
    refusals: z.array(text(200, 1)).max(20).optional().describe('choices that fail the step; default: refuse'),
  }),
  z.strictObject({ kind: z.literal('timer'), ...common, seconds }),
  z.strictObject({
    ...{ kind: z.literal('workflow'), ...common },
    workflow: uuid,
    version: z.int().min(1).optional().describe('left out: the newest when it begins'),
    inputs: templates.optional(),
  }),
  z.strictObject({
    ...{ kind: z.literal('choice'), ...common },
    cases: z
      .array(z.strictObject({ choice: word, when: expressionText }))
      .min(1)
      .max(50),
    otherwise: word.optional().describe('where none holds; left out: then the step fails'),
  }),
]);
export type Step = z.infer<typeof step>;

const input = z.strictObject({
  type: z.enum(['string', 'integer', 'number', 'boolean', 'object', 'array']),
  required: z.boolean().optional().describe('default: it is, unless it has a default'),
  default: template.optional(),
  description: text(1_000).optional(),
});

/** What a version of a workflow says. */
export const definition = z.strictObject({
  name: text(200, 1),
  description: text(10_000).optional(),
  repository: text(200, 1)
    .nullable()
    .optional()
    .describe('keys that are limited to repositories see what belongs to theirs'),
  inputs: z.record(name, input).optional(),
  steps: z.array(step).min(1).max(MOST_STEPS),
  outputs: templates.optional().describe('what a run answers, as it stands when all steps are done'),
  atOnce: z.int().min(1).max(100).optional().describe('steps under way at once; default 20'),
});
export type Definition = z.infer<typeof definition>;

export const AT_ONCE = 20;
export const CHOICES = ['approve', 'refuse'] as const;
