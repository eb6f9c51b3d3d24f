import {
  messageTypeModel,
  messageTypeRow,
  type MessageTypeRow,
} from '@workledger/shared/contexts/agent/message-type/row.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  byId,
  many,
  one,
  queryRoute,
  READERS,
  readRow,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';

const list: ListDefinition<MessageTypeRow> = {
  model: messageTypeModel,
  sorts: {
    name: { column: 'name', type: 'text' },
    updated: { column: 'updatedAt', type: 'timestamptz' },
  },
};

/** GET /message-types and GET /message-types/{id}: they belong to no repository, and whoever sends messages reads them. */
export const messageTypeQueries = ({ pool }: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/message-types',
    role: READERS,
    scoped: true,
    summary: 'List message types',
    answer: 'A page of message types.',
    schema: pageOf(messageTypeRow),
    models: [messageTypeModel],
    query: { name: several(short).optional(), ...pageParameters(list.sorts, 'name') },
    handler: async ({ query: asked }) =>
      many(
        await readPage(pool, list, asked, (query) => {
          if (asked.name) query.whereIn('t.name', asked.name);
        }),
      ),
  }),
  queryRoute(settle, {
    path: '/message-types/{id}',
    role: READERS,
    scoped: true,
    summary: 'A message type',
    answer: 'The type, with its schema.',
    schema: messageTypeRow,
    params: byId,
    problems: ['not-found'],
    models: [messageTypeModel],
    handler: async ({ params }) => one(await readRow(pool, messageTypeModel, params.id, 'message type')),
  }),
];
