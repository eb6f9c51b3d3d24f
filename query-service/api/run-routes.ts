import { z } from 'zod';
import type { Route } from '@workledger/shared/http/route.ts';
import type { ReadModel, ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { pageOf } from '../answers/page.ts';
import type { QueryOptions } from '../options.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageParameters, readPage, type ListDefinition, type Sort } from '../reading/page.ts';
import { anyId, byId, several } from '../reading/parameters.ts';
import { many, one, queryRoute } from '../reading/query-route.ts';
import { readRow } from '../reading/read-row.ts';
import { READERS } from '../reading/roles.ts';
import { withLinks, withLinksSchema } from '../reading/with-links.ts';

type RunRow = ReadModelRow & { readonly revision: number; readonly taskId: string | null; readonly state: string };

export type RunResource<Row extends RunRow> = {
  readonly model: ReadModel<Row>;
  /** In the path, plural. */
  readonly resource: string;
  readonly noun: string;
  readonly states: readonly Row['state'][];
  /** When it began. */
  readonly began: keyof Row & string;
  /** Too large for a list. */
  readonly without: readonly (keyof Row & string)[];
  readonly about: string;
};

/** The two routes of something that was done for a task: a list, newest first, and the thing itself with all its parts. */
export function runRoutes<Row extends RunRow>(
  { pool }: QueryOptions,
  settle: Settle,
  { model, resource, noun, states, began, without, about }: RunResource<Row>,
): readonly Route[] {
  const sorts: Record<string, Sort<Row>> = { started: { column: began, type: 'timestamptz' } };
  const list: ListDefinition<Row> = { model, without, sorts };
  const parts = Object.fromEntries(without.map((name) => [name, true])) as Record<never, true>;
  const listed = model.schema.omit(parts);
  return [
    queryRoute(settle, {
      path: `/${resource}`,
      role: READERS,
      summary: `List ${resource}`,
      answer: `A page of ${resource}, without their parts.`,
      schema: pageOf(withLinksSchema(listed)),
      models: [model],
      query: {
        taskId: anyId.optional(),
        state: several(z.enum(states)).optional(),
        ...pageParameters(sorts, '-started'),
      },
      handler: async ({ query: asked }) =>
        many(
          withLinks(
            await readPage(pool, list, asked, (query) => {
              if (asked.taskId !== undefined) query.where('t.task_id', asked.taskId);
              if (asked.state !== undefined) query.whereIn('t.state', asked.state);
            }),
          ),
        ),
    }),
    queryRoute(settle, {
      path: `/${resource}/{id}`,
      role: READERS,
      summary: `One of the ${resource}`,
      answer: about,
      schema: withLinksSchema(model.schema),
      params: byId,
      problems: ['not-found'],
      models: [model],
      handler: async ({ params }) => {
        const row = await readRow(pool, model, params.id, noun);
        return one({ ...(withLinks(row) as Row) });
      },
    }),
  ];
}
