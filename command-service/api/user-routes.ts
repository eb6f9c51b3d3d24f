import type { CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { teamName, userCommands } from '@workledger/shared/contexts/agent/user/commands.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { KeyStore } from '@workledger/shared/security/key-store.ts';
import { z } from 'zod';
import {
  accepted,
  commandHeaders,
  creation,
  expectedRevision,
  intention,
  intentionFromPath,
  pathId,
  receiptReply,
} from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { knownCaller, sendCommand } from './send-command.ts';

const USERS = '/api/v1/users';
const USER = `${USERS}/{id}`;
const TEAM = `${USER}/teams/{team}`;
const ME = '/api/v1/me';

const teamParams = z.strictObject({ id: pathId, team: teamName });
const AT_ONCE = 'From the answer on every process acts on it.';

/** The intentions that change a user. */
export const userRoutes = (commands: Commands, keys: KeyStore): Route[] => [
  creation(commands, {
    method: 'post',
    path: USERS,
    type: 'user.create',
    summary: 'Create a user',
    description:
      'With `onboard` it is invited first, and created, given its role and its teams step by step; `GET /api/v1/pipelines/{id}`, by the ' +
      "user's id, tells how far that is. What a step could not do undoes those before it: the user is suspended then.",
  }),
  taking(
    keys,
    intention(commands, {
      method: 'patch',
      path: USER,
      type: 'user.change',
      summary: 'Change the name, address or role of a user',
      description: `A new role is that of their keys, too, where it is less than these have. ${AT_ONCE}`,
    }),
  ),
  taking(
    keys,
    intention(commands, {
      method: 'post',
      path: `${USER}/suspend`,
      type: 'user.suspend',
      summary: 'Suspend a user',
      description: `Their keys are answered 403 \`user-suspended\`. ${AT_ONCE}`,
    }),
  ),
  intention(commands, {
    method: 'post',
    path: `${USER}/resume`,
    type: 'user.resume',
    summary: 'Let a suspended user in again',
    description: 'Within a second.',
  }),
  intentionFromPath(commands, {
    method: 'put',
    path: TEAM,
    type: 'user.join-team',
    summary: 'Put a user into a team',
    description: 'A team is its name: it is there as long as somebody is in it.',
    params: teamParams,
    data: ({ team }) => ({ team }),
    problems: ['out-of-range'],
  }),
  taking(
    keys,
    intentionFromPath(commands, {
      method: 'delete',
      path: TEAM,
      type: 'user.leave-team',
      summary: 'Take a user out of a team',
      description: AT_ONCE,
      params: teamParams,
      data: ({ team }) => ({ team }),
    }),
  ),
  renameMe(commands),
];

/** PATCH /me: who asks is who is changed. */
const renameMe = (commands: Commands): Route =>
  route({
    method: 'patch',
    path: ME,
    role: rolesOf('user.rename'),
    summary: 'Change your own name',
    description: "For keys of a user; a key that is nobody's is answered 404.",
    headers: commandHeaders,
    body: userCommands['user.rename'].data,
    answers: { 200: accepted },
    problems: ['not-found', 'idempotency-key-reused', 'revision-mismatch', 'unavailable'],
    handler: async (input) => {
      const { actor } = knownCaller(input);
      if (!actor.startsWith('user:')) throw new Problem('not-found', 'this API key belongs to no user');
      const idempotencyKey = input.headers['idempotency-key'];
      const answer = await sendCommand(commands, input, {
        type: 'user.rename',
        route: `PATCH ${ME}`,
        target: actor.slice('user:'.length),
        data: input.body,
        idempotencyKey,
        expectedRevision: expectedRevision(input.headers['if-match']),
      });
      return receiptReply(answer, idempotencyKey);
    },
  });

const TAKING: ReadonlySet<CommandType> = new Set<CommandType>(['user.suspend', 'user.change', 'user.leave-team']);

/** Whether a command may take from a user what they were allowed. */
export const takesAccess = (type: CommandType): boolean => TAKING.has(type);

/** From the answer on no process allows what was taken. */
const taking = (keys: KeyStore, change: Route): Route => ({
  ...change,
  handle: async (input) => {
    const reply = await change.handle(input);
    const isOnlyWords = change.method === 'patch' && (input.body as { role?: unknown }).role === undefined;
    if (!isOnlyWords) await keys.forgetEverywhere();
    return reply;
  },
});
