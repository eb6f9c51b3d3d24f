import { complexityLevel } from '@workledger/shared/contexts/evolution/routing/events.ts';
import { routingModel, routingRow, type RoutingRow } from '@workledger/shared/contexts/evolution/routing/row.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  byId,
  many,
  one,
  queryRoute,
  READERS,
  several,
  short,
  yesOrNo,
  type QueryOptions,
} from '../reading/query-route.ts';
import { onlyRepositoriesWithin, readWithin, scopeOf } from '../reading/scope.ts';

const list: ListDefinition<RoutingRow> = {
  model: routingModel,
  sorts: { routed: { column: 'routedAt', type: 'timestamptz' } },
};

/** GET /autonomous/ai/route and GET /autonomous/ai/route/{id} */
export const routingQueries = ({ pool }: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/autonomous/ai/route',
    role: READERS,
    scoped: true,
    summary: 'List choices of models',
    answer: 'A page of choices, each with what was known of every model, and how it came out.',
    schema: pageOf(routingRow),
    models: [routingModel],
    query: {
      model: several(short).optional(),
      taskType: several(short).optional(),
      complexity: several(complexityLevel).optional(),
      repository: several(short).optional(),
      reported: yesOrNo.optional().describe('whether somebody told how it came out'),
      ...pageParameters(list.sorts, '-routed'),
    },
    handler: async ({ query: asked, principal }) => {
      const scope = scopeOf({ principal });
      return many(
        await readPage(pool, list, asked, (query) => {
          onlyRepositoriesWithin(query, scope);
          if (asked.model) query.whereIn('t.model', asked.model);
          if (asked.taskType) query.whereIn('t.task_type', asked.taskType);
          if (asked.complexity) query.whereIn('t.complexity', asked.complexity);
          if (asked.repository) query.whereIn('t.repository', asked.repository);
          if (asked.reported !== undefined) query.whereRaw('(t.reported_at is not null) = ?', [asked.reported]);
        }),
      );
    },
  }),
  queryRoute(settle, {
    path: '/autonomous/ai/route/{id}',
    role: READERS,
    scoped: true,
    summary: 'A choice of a model',
    answer: 'The choice.',
    schema: routingRow,
    params: byId,
    problems: ['not-found'],
    models: [routingModel],
    handler: async ({ params: { id }, principal }) =>
      one(await readWithin(pool, scopeOf({ principal }), routingModel, { noun: 'choice of a model', id })),
  }),
];
