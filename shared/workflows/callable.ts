import { z } from 'zod';
import { text } from '../contexts/text.ts';
import { ExpressionFailed } from './expression.ts';

/** Components that workflows may call: what each takes and answers. What performs them is in `sagas/components/catalogue.ts`. */
export const callable = {
  'http.request': {
    request: z.strictObject({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
      url: z
        .string()
        .max(2_000)
        .regex(/^https?:\/\/[\x21-\x7e]+$/, 'https:// and what follows, in ASCII')
        .describe('at a host that the configuration allows (`workflows.allowHosts`)'),
      body: z.json().optional(),
      note: text(200).optional(),
    }),
    result: z.strictObject({ status: z.int(), body: z.json() }),
  },
  'model.answer': {
    request: z.strictObject({
      model: text(100, 1).describe('as the configuration names it (`models`)'),
      prompt: text(100_000, 1),
      system: text(20_000, 1).optional(),
      budgetUsd: z.number().min(0.000_001).max(100).default(1).describe('US dollars that models may take in this run'),
    }),
    result: z.strictObject({ text: z.string(), isCut: z.boolean(), costUsd: z.number() }),
  },
  'github.comment': {
    request: z.strictObject({
      repository: text(200, 1).describe('as the configuration names it; its `github` says which one that is there'),
      number: z.int().min(1).describe('of the issue or pull request'),
      text: text(60_000, 1),
    }),
    result: z.strictObject({ outcome: z.enum(['written', 'updated', 'unchanged']), id: z.int(), url: z.string() }),
  },
  'slack.message': {
    request: z.strictObject({
      repository: text(200, 1).describe('whose work it is about, as the configuration names it'),
      channel: z.string().regex(/^[A-Z0-9]{6,30}$/, 'its id, such as C0123ABCD'),
      thread: z
        .string()
        .regex(/^\d{1,20}\.\d{1,10}$/, 'the ts of a message, such as 1700000000.000001')
        .optional()
        .describe('left out: the message begins one'),
      text: text(2_500, 1).describe('plain words: they call nobody'),
    }),
    result: z.object({ outcome: z.enum(['written', 'updated', 'gone', 'off']), id: z.string().nullable() }),
  },
} as const;

export type CallableName = keyof typeof callable;
export const isCallable = (name: string): name is CallableName => Object.hasOwn(callable, name);

/** Whose call it is. */
export type Calling = {
  readonly runId: string;
  readonly step: string;
  readonly undo: boolean;
  /** Of whoever started the run; null: all. */
  readonly repositories: readonly string[] | null;
};

/**
 * The component that a step's call goes to, and what it is asked for in its own words. The same step of the same run asks under the same names,
 * whoever dies: one comment, one answer that is paid.
 * @throws ExpressionFailed where what it is given is not what it takes
 */
export function callOf(
  component: string,
  given: unknown,
  { runId, step, undo, repositories }: Calling,
): { readonly component: string; readonly request: unknown } {
  const own = { taskId: runId, runId, about: `workflow/${step}${undo ? '/undo' : ''}` };
  switch (component) {
    case 'model.answer':
      return { component, request: { ...taken(component, callable[component].request, given), runId } };
    case 'github.comment': {
      const asked = within(repositories, taken(component, callable[component].request, given));
      return { component, request: { ...own, ...asked } };
    }
    case 'slack.message': {
      const asked = within(repositories, taken(component, callable[component].request, given));
      const { repository, channel, thread, text: words } = asked;
      const place = thread === undefined ? channel : `${channel}/${thread}`;
      const nothing = { known: null, to: null, questionId: null, isOpen: false, stage: null, state: null };
      return { component: 'slack.tell', request: { ...own, ...nothing, repository, place, text: words } };
    }
    default:
      return { component, request: given };
  }
}

function within<Asked extends { readonly repository: string }>(
  repositories: Calling['repositories'],
  asked: Asked,
): Asked {
  if (repositories?.includes(asked.repository) === false)
    throw new ExpressionFailed(`repository ${asked.repository} is none of those of whoever started the run`);
  return asked;
}

function taken<Request extends z.ZodType>(component: CallableName, schema: Request, given: unknown): z.infer<Request> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ExpressionFailed(`its request is not what ${component} takes: ${z.prettifyError(parsed.error)}`);
}
