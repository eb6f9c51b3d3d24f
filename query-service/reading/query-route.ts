import { z } from 'zod';
import type { ProblemCode } from '@workledger/shared/http/problem-kinds.ts';
import { route, type Access, type Reply, type Route, type RouteInput } from '@workledger/shared/http/route.ts';
import type { ReadModel } from '@workledger/shared/contexts/define-row.ts';
import type { Settle } from './consistency.ts';

export type QueryDefinition<Params extends z.ZodType, Query extends z.ZodRawShape> = {
  /** Below /api/v1. */
  readonly path: string;
  readonly role: Access;
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

const token = z.string().min(1).max(8_000).optional();
const headers = z.object({ 'consistency-token': token.describe('as a command answered it: wait for its effect') });
const tokenQuery = { token: token.describe('the same as the header Consistency-Token') };

/** Declares a query over read models: strict parameters, and the wait for the caller's consistency token before it reads. */
export const queryRoute = <Params extends z.ZodType = z.ZodUndefined, Query extends z.ZodRawShape = z.ZodRawShape>(
  settle: Settle,
  { path, models, query, params, handler, answer, schema, problems = [], ...rest }: QueryDefinition<Params, Query>,
): Route =>
  route({
    ...rest,
    method: 'get',
    path: `/api/v1${path}`,
    ...(params !== undefined && { params }),
    query: z.strictObject({ ...query, ...tokenQuery }),
    headers,
    answers: { 200: { description: answer, schema } },
    problems: ['not-yet-visible', 'stream-parked', ...problems],
    handler: async (input) => {
      const given = input.query as { readonly token?: string };
      const wanted = [input.headers['consistency-token'], given.token].filter((text) => text !== undefined).join(',');
      if (wanted !== '') await settle(wanted, models, input.signal);
      return handler(input as unknown as RouteInput<z.infer<Params>, z.infer<z.ZodObject<Query>>>);
    },
  });

/** One resource: its revision is its ETag. */
export const one = (json: { readonly revision: number }): Reply => ({
  json,
  headers: { ETag: `"${json.revision}"`, 'Cache-Control': 'no-store' },
});

/** Several resources. */
export const many = (json: unknown): Reply => ({ json, headers: { 'Cache-Control': 'no-store' } });
