import type { Route } from '@workledger/shared/http/route.ts';
import { deliveryModel, deliveryRow, type DeliveryRow } from '@workledger/shared/contexts/sync/delivery/row.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  type QueryOptions,
  anyId,
  byId,
  several,
  short,
  many,
  one,
  queryRoute,
  readRow,
  OPERATORS,
} from '../reading/query-route.ts';
import type { Settle } from '../reading/consistency.ts';
import { withLinks, withLinksSchema } from '../reading/with-links.ts';

const deliveryAnswer = withLinksSchema(deliveryRow);

const list: ListDefinition<DeliveryRow> = {
  model: deliveryModel,
  sorts: { received: { column: 'receivedAt', type: 'timestamptz' } },
};

/** GET /webhooks/deliveries */
export const listDeliveries = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/webhooks/deliveries',
    role: OPERATORS,
    summary: 'List webhook deliveries',
    answer: 'A page of deliveries: what came, and what became of it.',
    schema: pageOf(deliveryAnswer),
    models: [deliveryModel],
    query: {
      provider: several(deliveryRow.shape.provider).optional(),
      outcome: several(deliveryRow.shape.outcome).optional(),
      deliveryId: short.optional(),
      repository: several(short).optional(),
      taskId: anyId.optional(),
      ...pageParameters(list.sorts, '-received'),
    },
    handler: async ({ query: asked }) =>
      many(
        withLinks(
          await readPage(pool, list, asked, (query) => {
            if (asked.provider) query.whereIn('t.provider', asked.provider);
            if (asked.outcome) query.whereIn('t.outcome', asked.outcome);
            if (asked.deliveryId) query.where('t.delivery_id', asked.deliveryId);
            if (asked.repository) query.whereIn('t.repository', asked.repository);
            if (asked.taskId) query.where('t.task_id', asked.taskId);
          }),
        ),
      ),
  });

/** GET /webhooks/deliveries/{id} */
export const getDelivery = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/webhooks/deliveries/{id}',
    role: OPERATORS,
    summary: 'A webhook delivery',
    answer: 'The delivery, with a link to its body as it was sent.',
    schema: deliveryAnswer,
    params: byId,
    problems: ['not-found'],
    models: [deliveryModel],
    handler: async ({ params }) => {
      const delivery = await readRow(pool, deliveryModel, params.id, 'delivery');
      return one(withLinks(delivery) as DeliveryRow);
    },
  });
