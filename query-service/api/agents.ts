import { z } from 'zod';
import { agentKind } from '@workledger/shared/contexts/agent/agent/events.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { agentModel, agentRow, agentStatuses, type AgentRow } from '@workledger/shared/contexts/agent/agent/row.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  type QueryOptions,
  byId,
  several,
  short,
  many,
  one,
  queryRoute,
  readRow,
  READERS,
} from '../reading/query-route.ts';
import type { Settle } from '../reading/consistency.ts';
import { createLatestBeats } from '../reading/latest-progress.ts';
import { scopeOf } from '../reading/scope.ts';

const agentAnswer = agentRow.extend({ utilisation: z.number().describe('claims by capacity') });

const list: ListDefinition<AgentRow> = {
  model: agentModel,
  sorts: {
    name: { column: 'name', type: 'text' },
    registered: { column: 'registeredAt', type: 'timestamptz' },
    updated: { column: 'updatedAt', type: 'timestamptz' },
  },
};

/** GET /agents */
export const listAgents = ({ pool }: QueryOptions, settle: Settle): Route => {
  const latestBeats = createLatestBeats(pool);
  return queryRoute(settle, {
    path: '/agents',
    role: READERS,
    summary: 'List agents',
    answer: 'A page of agents.',
    schema: pageOf(agentAnswer),
    models: [agentModel],
    query: {
      status: several(z.enum(agentStatuses)).optional(),
      kind: several(agentKind).optional(),
      capability: several(short).optional().describe('all of these'),
      ...pageParameters(list.sorts, 'name'),
    },
    handler: async ({ query: asked }) => {
      const page = await readPage(pool, list, asked, (query) => {
        if (asked.status) query.whereIn('t.status', asked.status);
        if (asked.kind) query.whereIn('t.kind', asked.kind);
        if (asked.capability) query.whereRaw('t.capabilities @> ?::text[]', [asked.capability]);
      });
      return many({ ...page, items: (await latestBeats(page.items)).map(withUtilisation) });
    },
  });
};

/** GET /agents/{id} */
export const getAgent = ({ pool }: QueryOptions, settle: Settle): Route => {
  const latestBeats = createLatestBeats(pool);
  return queryRoute(settle, {
    path: '/agents/{id}',
    role: READERS,
    scoped: true,
    summary: 'An agent',
    answer: 'The agent, with the tasks that it holds.',
    schema: agentAnswer,
    params: byId,
    problems: ['not-found'],
    models: [agentModel],
    handler: async ({ params, principal }) => {
      // What an agent holds may belong to any repository: whoever is limited reads its own.
      if (scopeOf({ principal }) !== null && principal?.agentId !== params.id)
        throw new Problem('not-found', `there is no agent ${params.id}`);
      const row = await readRow(pool, agentModel, params.id, 'agent');
      const [agent = row] = await latestBeats([row]);
      return one(withUtilisation(agent));
    },
  });
};

/** How much of its capacity is in use, 0 to 1 (above 1 after its capacity was made smaller). */
const withUtilisation = (agent: AgentRow) => ({ ...agent, utilisation: agent.claims.length / agent.capacity });
