import { readState } from '@workledger/shared/aggregate/read-state.ts';
import { webhookFold } from '@workledger/shared/contexts/sync/webhook/state.ts';
import { webhookModel, webhookRow, type WebhookRow } from '@workledger/shared/contexts/sync/webhook/row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import {
  listWebhookDeliveries,
  readWebhookSending,
  webhookDelivery,
  webhookSending,
} from '@workledger/shared/read-models/webhook-deliveries.ts';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Settle } from '../reading/consistency.ts';
import {
  cursorParameter,
  decoded,
  encoded,
  invalidCursor,
  pageOf,
  pageParameters,
  readPage,
  type ListDefinition,
} from '../reading/page.ts';
import {
  atMost,
  byId,
  many,
  one,
  OPERATORS,
  queryRoute,
  readRow,
  several,
  type QueryOptions,
} from '../reading/query-route.ts';
import { scopeOf, type Scope } from '../reading/scope.ts';

const list: ListDefinition<WebhookRow> = {
  model: webhookModel,
  sorts: { created: { column: 'createdAt', type: 'timestamptz' } },
};
const listedWebhook = webhookRow.extend({ url: z.string() });
const webhookAnswer = listedWebhook.extend({
  sending: webhookSending.nullable().describe('how it goes; null: nobody looked at it yet'),
});
const place = z.strictObject({ position: z.string().regex(/^\d{1,19}$/), id: z.uuid() });

/** Whoever is limited to repositories sees subscriptions that are limited to some of them. */
async function readWithin(pool: Pool, scope: Scope, id: string): Promise<WebhookRow> {
  const row = await readRow(pool, webhookModel, id, 'webhook');
  const isWithin = scope === null || (row.repositories?.every((repository) => scope.includes(repository)) ?? false);
  if (!isWithin) throw new Problem('not-found', `there is no webhook ${id}`);
  return row;
}

/** An address may hold what lets the sender in: it leaves the log in no event, and is read there. */
const withUrl = async (log: QueryOptions['log'], row: WebhookRow): Promise<WebhookRow & { readonly url: string }> => {
  const state = await readState(log, webhookFold, row.id, row.revision);
  return { ...row, url: state?.url ?? '' };
};

/** GET /webhooks, GET /webhooks/{id} and GET /webhooks/{id}/deliveries */
export const webhookQueries = ({ pool, log }: Pick<QueryOptions, 'pool' | 'log'>, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/webhooks',
    role: OPERATORS,
    scoped: true,
    summary: 'List subscriptions of other systems to events',
    answer: 'A page of webhooks.',
    schema: pageOf(listedWebhook),
    models: [webhookModel],
    query: { status: several(webhookRow.shape.status).optional(), ...pageParameters(list.sorts, '-created') },
    handler: async ({ query: asked, principal }) => {
      const scope = scopeOf({ principal });
      const page = await readPage(pool, list, asked, (query) => {
        if (asked.status) query.whereIn('t.status', asked.status);
        if (scope !== null) query.whereRaw('t.repositories <@ ?::text[]', [[...scope]]);
      });
      return many({ ...page, items: await Promise.all(page.items.map((row) => withUrl(log, row))) });
    },
  }),
  queryRoute(settle, {
    path: '/webhooks/{id}',
    role: OPERATORS,
    scoped: true,
    summary: 'A subscription, and how sending to it goes',
    answer: 'The webhook.',
    schema: webhookAnswer,
    params: byId,
    problems: ['not-found'],
    models: [webhookModel],
    handler: async ({ params, principal }) => {
      const row = await readWithin(pool, scopeOf({ principal }), params.id);
      const answer = { ...(await withUrl(log, row)), sending: await readWebhookSending(pool, row.id) };
      return one(answer);
    },
  }),
  queryRoute(settle, {
    path: '/webhooks/{id}/deliveries',
    role: OPERATORS,
    scoped: true,
    summary: 'What became of the events that are sent to a subscription',
    description: 'The newest events first. What was delivered or given up is kept for `outgoingWebhooks.keepDays`.',
    answer: 'A page of deliveries.',
    schema: pageOf(webhookDelivery),
    params: byId,
    problems: ['not-found'],
    models: [webhookModel],
    query: {
      status: several(webhookDelivery.shape.status).optional(),
      cursor: cursorParameter,
      limit: atMost(100, 50),
    },
    handler: async ({ params, query: { status = null, cursor, limit }, principal }) => {
      const { id } = await readWithin(pool, scopeOf({ principal }), params.id);
      const after = cursor === undefined ? null : readPlace(cursor);
      const found = await listWebhookDeliveries(pool, { webhookId: id, status, after, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next =
        found.length > limit && last !== undefined ? encoded({ position: last.position, id: last.id }) : null;
      return many({ items, next });
    },
  }),
];

function readPlace(cursor: string): z.infer<typeof place> {
  const parsed = place.safeParse(decoded(cursor));
  if (!parsed.success) throw invalidCursor('use a cursor as a page gave it');
  return parsed.data;
}
