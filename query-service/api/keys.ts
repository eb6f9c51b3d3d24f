import { role } from '@workledger/shared/contexts/agent/key/events.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { keyModel, keyRow, type KeyRow } from '@workledger/shared/contexts/agent/key/row.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  type QueryOptions,
  anyId,
  byId,
  several,
  yesOrNo,
  many,
  one,
  queryRoute,
  readRow,
  ADMINISTRATORS,
} from '../reading/query-route.ts';
import type { Settle } from '../reading/consistency.ts';

const list: ListDefinition<KeyRow> = {
  model: keyModel,
  sorts: { created: { column: 'createdAt', type: 'timestamptz' }, name: { column: 'name', type: 'text' } },
};

/** GET /keys */
export const listKeys = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/keys',
    role: ADMINISTRATORS,
    summary: 'List API keys',
    answer: 'A page of keys, without anything secret.',
    schema: pageOf(keyRow),
    models: [keyModel],
    query: {
      role: several(role).optional(),
      revoked: yesOrNo.optional(),
      user: several(anyId).optional().describe('id of the user whose keys they are'),
      ...pageParameters(list.sorts, '-created'),
    },
    handler: async ({ query: asked }) =>
      many(
        await readPage(pool, list, asked, (query) => {
          if (asked.role) query.whereIn('t.role', asked.role);
          if (asked.user) query.whereIn('t.user_id', asked.user);
          if (asked.revoked === true) query.whereNotNull('t.revoked_at');
          if (asked.revoked === false) query.whereNull('t.revoked_at');
        }),
      ),
  });

/** GET /keys/{id} */
export const getKey = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/keys/{id}',
    role: ADMINISTRATORS,
    summary: 'An API key',
    answer: 'The key, without anything secret.',
    schema: keyRow,
    params: byId,
    problems: ['not-found'],
    models: [keyModel],
    handler: async ({ params }) => one(await readRow(pool, keyModel, params.id, 'key')),
  });
