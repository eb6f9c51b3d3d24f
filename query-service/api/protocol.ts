import { z } from 'zod';
import { guarantee } from '@workledger/shared/contexts/agent/dispatch/events.ts';
import {
  dispatchDeliveryModel,
  dispatchDeliveryRow,
  dispatchModel,
  dispatchRow,
  type DispatchDeliveryRow,
} from '@workledger/shared/contexts/agent/dispatch/row.ts';
import { deliveryStates } from '@workledger/shared/contexts/agent/dispatch/state.ts';
import { selectList, time } from '@workledger/shared/contexts/define-row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  byId,
  many,
  one,
  OPERATORS,
  queryRoute,
  READERS,
  readRow,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';
import { isWithin, onlyRepositoriesWithin, scopeOf } from '../reading/scope.ts';
import { known } from './inbox.ts';

const list: ListDefinition<DispatchDeliveryRow> = {
  model: dispatchDeliveryModel,
  sorts: { dispatched: { column: 'dispatchedAt', type: 'timestamptz' } },
};

const proof = z
  .strictObject({
    stream: z.string(),
    revision: z.int(),
    position: z.string(),
    eventId: z.uuid(),
    by: z.string(),
    digest: z.string(),
    at: time,
  })
  .describe('where in the log the acknowledgement stands, by whom, and the digest of what they received');

const delivery = dispatchDeliveryRow
  .omit({ proofEventId: true, proofRevision: true, proofPosition: true, acknowledgedBy: true, receivedDigest: true })
  .extend({ proof: proof.nullable().describe('null: it was not acknowledged') });
type Delivery = z.infer<typeof delivery>;

const dispatchAnswer = dispatchRow.extend({
  payload: z.unknown().describe('to the sender, and to those who oversee; null to others: they receive it'),
  digest: dispatchRow.shape.digest.nullable().describe('as the payload: whoever receives it makes it themselves'),
  deliveries: z.array(delivery),
});

/** GET /collaborative/protocol and GET /collaborative/protocol/{id} */
export const protocolQueries = ({ pool }: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/collaborative/protocol',
    role: READERS,
    scoped: true,
    summary: 'List deliveries of messages under a guarantee',
    description:
      'Those that you sent, and those for you and your teams; operators, auditors and administrators see all. `state=dead,expired` are those that never came.',
    answer: 'A page of deliveries, each with its state and, where it was acknowledged, the proof.',
    schema: pageOf(delivery),
    models: [dispatchDeliveryModel],
    query: {
      state: several(z.enum(deliveryStates)).optional(),
      guarantee: several(guarantee).optional(),
      type: several(short).optional(),
      from: short.optional().describe('who sent it'),
      target: several(short).optional(),
      dispatchId: anyId.optional(),
      ...pageParameters(list.sorts, '-dispatched'),
    },
    handler: async ({ query: asked, principal }) => {
      const asking = known(principal);
      const scope = scopeOf({ principal });
      const page = await readPage(pool, list, asked, (query) => {
        if (!overlooks(asking))
          query.whereRaw('(t.sender = ? or t.target = any (?::text[]))', [asking.actor, [...addressesOf(asking)]]);
        onlyRepositoriesWithin(query, scope);
        if (asked.state) query.whereIn('t.state', asked.state);
        if (asked.guarantee) query.whereIn('t.guarantee', asked.guarantee);
        if (asked.type) query.whereIn('t.type', asked.type);
        if (asked.from !== undefined) query.where('t.sender', asked.from);
        if (asked.target) query.whereIn('t.target', asked.target);
        if (asked.dispatchId !== undefined) query.where('t.dispatch_id', asked.dispatchId);
      });
      return many({ ...page, items: page.items.map(withProof) });
    },
  }),
  queryRoute(settle, {
    path: '/collaborative/protocol/{id}',
    role: READERS,
    scoped: true,
    summary: 'A message under a guarantee, and how far it has come at each of those that it is for',
    description: 'Who sent it, and those who oversee, see all of it; others what is for them, without the payload.',
    answer: 'What was sent, and its deliveries.',
    schema: dispatchAnswer,
    params: byId,
    problems: ['not-found'],
    models: [dispatchModel, dispatchDeliveryModel],
    handler: async ({ params, principal }) => {
      const asking = known(principal);
      const dispatch = await readRow(pool, dispatchModel, params.id, 'message under a guarantee');
      const all = await selectRows<DispatchDeliveryRow>(
        pool,
        `select ${selectList(dispatchDeliveryModel.columns)} from read_models.dispatch_deliveries
         where dispatch_id = $1 order by target`,
        [params.id],
      );
      const seesAll = overlooks(asking) || dispatch.sender === asking.actor;
      const addresses = addressesOf(asking);
      const deliveries = all.filter(({ target }) => seesAll || addresses.includes(target)).map(withProof);
      if (!isWithin(scopeOf({ principal }), dispatch) || (!seesAll && deliveries.length === 0))
        throw new Problem('not-found', `there is no message under a guarantee ${params.id}`);
      const payload = seesAll ? (JSON.parse(dispatch.payload) as unknown) : null;
      const told = { ...dispatch, payload, digest: seesAll ? dispatch.digest : null, deliveries };
      return one(told);
    },
  }),
];

const overlooks = ({ role }: Principal): boolean => OPERATORS.includes(role);

const addressesOf = ({ actor, teams }: Principal): readonly string[] => [actor, ...teams.map((team) => `team:${team}`)];

function withProof(row: DispatchDeliveryRow): Delivery {
  const { proofEventId, proofRevision, proofPosition, acknowledgedBy, receivedDigest, ...told } = row;
  const isProved = proofEventId !== null && proofRevision !== null && proofPosition !== null;
  if (!isProved || acknowledgedBy === null || receivedDigest === null || told.settledAt === null)
    return { ...told, proof: null };
  const where = { stream: `dispatch-${told.dispatchId}`, revision: proofRevision, position: proofPosition };
  return {
    ...told,
    proof: { ...where, eventId: proofEventId, by: acknowledgedBy, digest: receivedDigest, at: told.settledAt },
  };
}
