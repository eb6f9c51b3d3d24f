import { z } from 'zod';
import { inboxModel, inboxRow, receiptModel } from '@workledger/shared/contexts/agent/inbox/row.ts';
import { messageModel, messageRow } from '@workledger/shared/contexts/agent/message/row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import type { Settle } from '../reading/consistency.ts';
import { MOST_COUNTED, readInbox, readInboxRow } from '../reading/inbox.ts';
import { cursorParameter, pageOf } from '../reading/page.ts';
import { atMost, many, queryRoute, READERS, yesOrNo, type QueryOptions } from '../reading/query-route.ts';
import { scopeOf } from '../reading/scope.ts';

const content = z.unknown().describe('as it was sent; null: plain words');
export const messageAnswer = messageRow.extend({ content });
const inboxMessage = messageAnswer.extend({ unread: z.boolean() });

/** The content of a message as JSON. */
export const withContent = <Row extends { readonly content: string | null }>(row: Row) => ({
  ...row,
  content: row.content === null ? null : (JSON.parse(row.content) as unknown),
});

/** Whoever asks. @throws Problem: a route was declared public by mistake */
export function known(principal: Principal | null): Principal {
  if (principal === null) throw new Problem('unauthenticated', 'an inbox is somebody’s');
  return principal;
}

/** Days that messages are kept where nothing is configured. */
export const retentionOf = ({ configuration }: QueryOptions): number => configuration?.messages?.retentionDays ?? 90;

/** GET /inbox and GET /inbox/topics: of whoever asks. */
export const inboxQueries = (options: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/inbox',
    role: READERS,
    scoped: true,
    summary: 'Your inbox',
    description: 'What was sent to you, to topics that you are subscribed to (from then on), and to all.',
    answer: `A page of messages, and how many in the whole inbox are unread (counted up to ${MOST_COUNTED}).`,
    schema: pageOf(inboxMessage).extend({ unread: z.int() }),
    models: [messageModel, inboxModel, receiptModel],
    query: {
      unread: yesOrNo.optional().describe('true: only what is unread'),
      order: z.enum(['newest', 'unread-first']).default('newest'),
      cursor: cursorParameter,
      limit: atMost(100, 50),
    },
    problems: ['unknown-cursor'],
    handler: async ({ query: asked, principal }) => {
      const { actor } = known(principal);
      const reader = { actor, scope: scopeOf({ principal }), retentionDays: retentionOf(options) };
      const page = await readInbox(options.pool, reader, { ...asked, unread: asked.unread, cursor: asked.cursor });
      return many({ ...page, items: page.items.map(withContent) });
    },
  }),
  queryRoute(settle, {
    path: '/inbox/topics',
    role: READERS,
    scoped: true,
    summary: 'The topics that you are subscribed to',
    answer: 'All of them, by their names.',
    schema: z.object({ items: inboxRow.shape.topics }),
    models: [inboxModel],
    handler: async ({ principal }) => {
      const { topics } = await readInboxRow(options.pool, known(principal).actor);
      return many({ items: topics.toSorted((one, other) => (one.topic < other.topic ? -1 : 1)) });
    },
  }),
];
