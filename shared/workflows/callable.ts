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
 * What a component is asked for by a step, in the component's own words. The same step of the same run asks under the same names,
 * whoever dies: one comment, one answer that is paid.
 * @throws ExpressionFailed where what it is given is not what it takes
 */
export function requestFor(component: string, given: unknown, calling: Calling): unknown {
  if (component !== 'github.comment' && component !== 'model.answer') return given;
  const { runId, step, undo, repositories } = calling;
  if (component === 'model.answer') return { ...taken(component, callable[component].request, given), runId };
  const { repository, ...said } = taken(component, callable[component].request, given);
  if (repositories?.includes(repository) === false)
    throw new ExpressionFailed(`repository ${repository} is none of those of whoever started the run`);
  const about = `workflow/${step}${undo ? '/undo' : ''}`;
  return { taskId: runId, runId, repository, about, ...said };
}

function taken<Request extends z.ZodType>(component: CallableName, schema: Request, given: unknown): z.infer<Request> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ExpressionFailed(`its request is not what ${component} takes: ${z.prettifyError(parsed.error)}`);
}
