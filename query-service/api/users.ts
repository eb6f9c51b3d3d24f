import { z } from 'zod';
import { teamName } from '@workledger/shared/contexts/agent/user/commands.ts';
import { role } from '@workledger/shared/contexts/agent/key/events.ts';
import { userRole, userStates } from '@workledger/shared/contexts/agent/user/events.ts';
import { userModel, userRow, type UserRow } from '@workledger/shared/contexts/agent/user/row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
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

const list: ListDefinition<UserRow> = {
  model: userModel,
  sorts: {
    name: { column: 'name', type: 'text' },
    created: { column: 'createdAt', type: 'timestamptz' },
    updated: { column: 'updatedAt', type: 'timestamptz' },
  },
};

const me = z.strictObject({
  actor: z.string().describe('how events name whoever asks'),
  keyId: z.string(),
  role: role.describe('as of now: what both the key and its user allow'),
  agentId: z.uuid().nullable(),
  repositories: z.array(z.string()).nullable().describe('the key is limited to these; null: it is not'),
  teams: z.array(z.string()),
  user: userRow.nullable().describe('the person whose key it is; null: nobody'),
});

const team = z.strictObject({ name: z.string(), users: z.int(), active: z.int().describe('those who are let in') });

/** GET /me, /users, /users/{id} and /teams */
export const userQueries = (options: QueryOptions, settle: Settle): readonly Route[] => [
  getMe(options, settle),
  listUsers(options, settle),
  queryRoute(settle, {
    path: '/users/{id}',
    role: READERS,
    summary: 'A user',
    answer: 'The user.',
    schema: userRow,
    params: byId,
    problems: ['not-found'],
    models: [userModel],
    handler: async ({ params, principal }) =>
      one(shownTo(principal)(await readRow(options.pool, userModel, params.id, 'user'))),
  }),
  listTeams(options, settle),
];

/** Whoever asks is told, with the words that they may change. */
const getMe = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/me',
    role: READERS,
    scoped: true,
    summary: 'Who you are',
    answer: 'The key that the request came under, and whose it is.',
    schema: me,
    models: [userModel],
    handler: async ({ principal }) => {
      if (principal === null) throw new Problem('unauthenticated', 'nobody asks');
      const { actor } = principal;
      const user = actor.startsWith('user:')
        ? await readRow(pool, userModel, actor.slice('user:'.length), 'user').catch(notYet)
        : null;
      return many({ ...principal, user });
    },
  });

/** Who is let in is there; the read model may not be that far. */
const notYet = (error: unknown): never => {
  if (error instanceof Problem && error.code === 'not-found')
    throw new Problem('not-yet-visible', 'the read model of users does not have you yet', {
      headers: { 'Retry-After': '1' },
    });
  throw error;
};

const listUsers = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/users',
    role: READERS,
    summary: 'List users',
    answer: 'A page of users.',
    schema: pageOf(userRow),
    models: [userModel],
    query: {
      role: several(userRole).optional(),
      state: several(z.enum(userStates)).optional(),
      team: several(teamName).optional().describe('in any of these'),
      text: short.optional().describe('in the name; case does not matter'),
      ...pageParameters(list.sorts, 'name'),
    },
    handler: async ({ query: asked, principal }) => {
      const page = await readPage(pool, list, asked, (query) => {
        if (asked.role) query.whereIn('t.role', asked.role);
        if (asked.state) query.whereIn('t.state', asked.state);
        if (asked.team) query.whereRaw('t.teams && ?::text[]', [asked.team]);
        if (asked.text) query.whereRaw('t.name ilike ?', [`%${asked.text.replaceAll(/[\\%_]/g, '\\$&')}%`]);
      });
      return many({ ...page, items: page.items.map(shownTo(principal)) });
    },
  });

/** A team is its name; the whole list, since people make few. */
const listTeams = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/teams',
    role: READERS,
    summary: 'List teams',
    answer: `Teams with how many are in each, by name; at most ${MOST_TEAMS_TOLD}.`,
    schema: z.strictObject({ items: z.array(team) }),
    models: [userModel],
    handler: async () => many({ items: await selectRows(pool, TEAMS) }),
  });

const MOST_TEAMS_TOLD = 1_000;
const TEAMS = `
select team as name, count(*)::integer as users, count(*) filter (where state = 'active')::integer as active
from read_models.users, unnest(teams) as each(team)
group by team order by team limit ${MOST_TEAMS_TOLD}`;

/** An address is for administrators, and for whose it is. */
const shownTo =
  (principal: Principal | null) =>
  (user: UserRow): UserRow =>
    principal?.role === 'admin' || principal?.actor === `user:${user.id}` ? user : { ...user, email: null };
