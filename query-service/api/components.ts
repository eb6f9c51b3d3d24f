import { componentPlace, componentState, listComponents } from '@workledger/shared/read-models/components.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { Settle } from '../reading/consistency.ts';
import { cursorParameter, decoded, encoded, invalidCursor, pageOf } from '../reading/page.ts';
import { atMost, many, queryRoute, READERS, several, type QueryOptions } from '../reading/query-route.ts';

/** GET /components. Nothing in it is about any repository. */
export const listComponentStates = ({ pool }: Pick<QueryOptions, 'pool'>, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/components',
    role: READERS,
    scoped: true,
    summary: 'List how the systems outside, models, plugins and components are',
    description:
      'Each process of sagas looks every 30 s, and tells what it sees: one item for each process. What exactly failed is in its log.',
    answer: 'A page of states.',
    schema: pageOf(componentState),
    models: [],
    query: {
      state: several(componentState.shape.state).optional(),
      cursor: cursorParameter,
      limit: atMost(500, 200),
    },
    handler: async ({ query: { state = null, cursor, limit } }) => {
      const after = cursor === undefined ? null : readPlace(cursor);
      const found = await listComponents(pool, { state, after, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next =
        found.length > limit && last !== undefined ? encoded({ name: last.name, process: last.process }) : null;
      return many({ items, next });
    },
  });

function readPlace(cursor: string) {
  const parsed = componentPlace.safeParse(decoded(cursor));
  if (!parsed.success) throw invalidCursor('use a cursor as a page gave it');
  return parsed.data;
}
