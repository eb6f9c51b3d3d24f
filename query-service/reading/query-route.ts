import type { Pool } from 'pg';
import { z } from 'zod';
import type { ArtefactStore } from '@workledger/shared/artefacts/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { type ProblemCode, Problem } from '@workledger/shared/http/problem.ts';
import { route, type Access, type Reply, type Route, type RouteInput } from '@workledger/shared/http/route.ts';
import { type ReadModel, selectList, type ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import type { Budgets } from '@workledger/shared/read-models/budgets.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import { text, WITHOUT_NUL } from '@workledger/shared/contexts/text.ts';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import { tokenText, type Settle } from './consistency.ts';

export type QueryOptions = {
  /** Reads schema `read_models`. */
  readonly pool: Pool;
  readonly log: EventLog;
  readonly artefacts: ArtefactStore;
  /** Seconds after which a waiting task counts as one priority more urgent, as they are now. */
  readonly ageingSeconds: number;
  /** What is configured: repositories that are not make their tasks wait, as budgets do. */
  readonly configuration?: Budgets & { readonly messages?: { readonly retentionDays: number } };
  /** Milliseconds that a query waits for its consistency token; default 5,000. */
  readonly waitMilliseconds?: number;
  /** Told by projections, in this process or another one; without it a waiting query only looks again and again. */
  readonly wakeUps?: WakeUps;
};

/** Whoever has a key may read what work is done, by whom, and how it goes; but for services, which only send commands. */
export const READERS: readonly Role[] = ['viewer', 'agent', 'operator', 'auditor', 'admin'];
/** What came in from outside, with the bodies as they were sent. */
export const OPERATORS: readonly Role[] = ['operator', 'auditor', 'admin'];
/** The log itself. */
export const AUDITORS: readonly Role[] = ['auditor', 'admin'];
export const ADMINISTRATORS: readonly Role[] = ['admin'];

const READ_AT_ONCE =
  'What has just been created is answered without a token, too: where the read model does not have it, the log is asked, and the answer waits.';
const NEEDS_TOKEN =
  'A list shows what has just been written for certain only with the token that the command answered.';

type QueryDefinition<Params extends z.ZodType, Query extends z.ZodRawShape> = {
  /** Below /api/v1. */
  readonly path: string;
  readonly role: Access;
  /** What it shows is kept within the scope of whoever asks (`scope.ts`); left out: not for keys that are limited. */
  readonly scoped?: true;
  readonly summary: string;
  readonly description?: string;
  readonly answer: string;
  readonly schema: z.ZodType;
  readonly params?: Params;
  readonly query?: Query;
  readonly problems?: readonly ProblemCode[];
  /** What it reads: a consistency token waits for these. */
  readonly models: readonly ReadModel<never>[];
  readonly handler: (input: RouteInput<z.infer<Params>, z.infer<z.ZodObject<Query>>>) => Promise<Reply> | Reply;
};

const token = tokenText.optional();
const headers = z.object({ 'consistency-token': token.describe('as a command answered it: wait for its effect') });
const tokenQuery = { token: token.describe('the same as the header Consistency-Token') };

/** Declares a query over read models: strict parameters, and the wait for the caller's consistency token before it reads. */
export const queryRoute = <Params extends z.ZodType = z.ZodUndefined, Query extends z.ZodRawShape = z.ZodRawShape>(
  settle: Settle,
  { path, models, query, params, handler, answer, schema, problems = [], ...rest }: QueryDefinition<Params, Query>,
): Route => {
  const isById = (params as z.ZodType | undefined) === byId;
  return route({
    ...rest,
    method: 'get',
    path: `/api/v1${path}`,
    ...(params !== undefined && { params }),
    query: z.strictObject({ ...query, ...tokenQuery }),
    headers,
    description: [rest.description, isById ? READ_AT_ONCE : NEEDS_TOKEN].filter(Boolean).join('\n\n'),
    answers: { 200: { description: answer, schema } },
    problems: [
      'not-yet-visible',
      'stream-parked',
      ...(query && 'cursor' in query ? (['unknown-cursor'] as const) : []),
      ...problems,
    ],
    handler: async (input) => {
      const given = input.query as { readonly token?: string };
      const wanted = [input.headers['consistency-token'], given.token].filter((text) => text !== undefined).join(',');
      // Within a scope the tasks themselves are asked, too.
      const read = input.principal?.repositories ? [...models, taskModel] : models;
      const answer = () => handler(input as unknown as RouteInput<z.infer<Params>, z.infer<z.ZodObject<Query>>>);
      const settled = (token: string) => settle(token, read, input.signal, input.principal?.keyId ?? '');
      if (wanted !== '') {
        await settled(wanted);
        return answer();
      }
      try {
        return await answer();
      } catch (error) {
        const created =
          error instanceof Problem && error.code === 'not-found' && isById
            ? await settle.created((input.params as { id: string }).id, models)
            : '';
        if (created === '') throw error;
        await settled(created);
        return answer();
      }
    },
  });
};

/** One resource: its revision is its ETag. */
export const one = (json: { readonly revision: number }): Reply => ({
  json,
  headers: { ETag: `"${json.revision}"`, 'Cache-Control': 'no-store' },
});

/** Several resources. */
export const many = (json: unknown): Reply => ({ json, headers: { 'Cache-Control': 'no-store' } });

/** The row of an id. @param noun what it is called to people @throws Problem `not-found` */
export async function readRow<Row extends ReadModelRow>(
  pool: Pool,
  model: ReadModel<Row>,
  id: string,
  noun: string,
): Promise<Row> {
  const [row] = await selectRows<Row>(
    pool,
    `select ${selectList(model.columns)} from read_models.${model.table} where id = $1`,
    [id.toLowerCase()],
  );
  if (row === undefined) throw new Problem('not-found', `there is no ${noun} ${id}`);
  return row;
}

/** Text of a query: short. */
export const short = text(300, 1);

const MOST_VALUES = 50;

/** A parameter that may come several times, or as a list with commas; described as the former. */
export const several = <Item extends z.ZodType<unknown, string>>(item: Item) => {
  const { $schema: _, ...one } = z.toJSONSchema(item, { io: 'input' });
  // What has a pattern of its own has no comma in it.
  const items = one.pattern === WITHOUT_NUL ? { ...one, pattern: WITHOUT_COMMA } : one;
  return z
    .unknown()
    .meta({ type: 'array', items, minItems: 1, maxItems: MOST_VALUES })
    .pipe(z.union([z.string(), z.array(z.string()).max(MOST_VALUES)]))
    .transform((given) =>
      (typeof given === 'string' ? [given] : given).flatMap((part) => part.split(',', MOST_VALUES + 1)),
    )
    .pipe(z.array(item).min(1).max(MOST_VALUES));
};
const WITHOUT_COMMA = String.raw`^[^,\u0000]*$`;

/** A whole number of items. @param most the largest allowed @param normal when left out */
export const atMost = (most: number, normal: number) =>
  z
    .string()
    .meta({ type: 'integer', minimum: 1, maximum: most })
    .regex(/^\d{1,6}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(normal)
    .describe(`at most so many, 1 to ${most}; default ${normal}`);

export const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true');

/** An id, in any case. */
export const anyId = z.uuid().toLowerCase();

export const byId = z.strictObject({ id: anyId });
