import type { Route } from '@workledger/shared/http/route.ts';
import { commentModel, commentRow, type CommentRow } from '@workledger/shared/contexts/task/comment/row.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  byId,
  many,
  one,
  queryRoute,
  READERS,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';
import { readWithin, scopeOf } from '../reading/scope.ts';

const list: ListDefinition<CommentRow> = {
  model: commentModel,
  sorts: { created: { column: 'createdAt', type: 'timestamptz' } },
};

/** GET /comments and GET /comments/{id} */
export const commentQueries = ({ pool }: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/comments',
    role: READERS,
    scoped: true,
    summary: 'List comments',
    answer: 'A page of comments, in the order in which they were written.',
    schema: pageOf(commentRow),
    models: [commentModel],
    query: {
      issueId: anyId.optional(),
      author: several(short).optional(),
      ...pageParameters(list.sorts, 'created'),
    },
    handler: async ({ query: asked, principal }) => {
      const scope = scopeOf({ principal });
      return many(
        await readPage(pool, list, asked, (query) => {
          if (scope) query.whereIn('t.repository', scope);
          if (asked.issueId) query.where('t.issue_id', asked.issueId);
          if (asked.author) query.whereIn('t.author', asked.author);
        }),
      );
    },
  }),
  queryRoute(settle, {
    path: '/comments/{id}',
    role: READERS,
    scoped: true,
    summary: 'A comment',
    answer: 'The comment.',
    schema: commentRow,
    params: byId,
    problems: ['not-found'],
    models: [commentModel],
    handler: async ({ params: { id }, principal }) =>
      one(await readWithin(pool, scopeOf({ principal }), commentModel, { noun: 'comment', id })),
  }),
];
