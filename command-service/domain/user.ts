import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { MOST_TEAMS, type userCommands } from '@workledger/shared/contexts/agent/user/commands.ts';
import type { UserAccess, UserEvent } from '@workledger/shared/contexts/agent/user/events.ts';
import { userFold, type UserState } from '@workledger/shared/contexts/agent/user/state.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';

/** A person: what they may do is their role, whom they belong to their teams, and whether they are let in their state. */
export const user: Aggregate<UserState, UserEvent, DataOf<typeof userCommands>> = {
  ...userFold,
  decisions: {
    'user.create': ({ name, email, role, teams, onboard }, state, { id }) => {
      if (state !== null) refuse('already-exists', 'this user exists already');
      const words = { userId: id, name, email };
      const wished = { role, teams: [...new Set(teams)] };
      if (!onboard) return [{ type: 'UserCreated', data: { ...words, access: { state: 'active', ...wished } } }];
      const access = { ...nothing, state: 'invited' } as const;
      return [{ type: 'UserOnboardingRequested', data: { ...words, ...wished, access } }];
    },
    'user.change': ({ name, email, role }, state, { id }) => {
      const { access, ...words } = existing(state);
      const changed = {
        ...(name !== undefined && name !== words.name && { name }),
        ...(email !== undefined && email !== words.email && { email }),
      };
      const told: UserEvent[] =
        Object.keys(changed).length === 0 ? [] : [{ type: 'UserChanged', data: { userId: id, ...changed, access } }];
      return [...told, ...(role === undefined ? [] : newRole(access, role))];
    },
    'user.rename': ({ name }, state, { id }) => {
      const { access, name: before } = existing(state);
      return name === before ? [] : [{ type: 'UserChanged', data: { userId: id, name, access } }];
    },
    'user.suspend': ({ reason }, state) => suspension(existing(state).access, reason),
    'user.resume': (_, state) => {
      const { access } = existing(state);
      if (access.state === 'invited') refuse('illegal-transition', 'the onboarding of this user is not over');
      return access.state === 'active'
        ? []
        : [{ type: 'UserResumed', data: { access: { ...access, state: 'active' } } }];
    },
    'user.join-team': ({ team }, state) => joining(existing(state).access, [team]),
    'user.leave-team': ({ team }, state) => {
      const { access } = existing(state);
      return access.teams.includes(team) ? leaving(access, [team]) : [];
    },
    'user.admit': (_, state, { id }) => {
      const { access, ...words } = existing(state);
      if (access.state === 'suspended') refuse('illegal-transition', 'this user was suspended before it was admitted');
      if (access.state === 'active') return [];
      return [{ type: 'UserCreated', data: { userId: id, ...words, access: { ...access, state: 'active' } } }];
    },
    'user.withdraw': ({ reason }, state) => suspension(existing(state).access, reason),
    'user.grant': ({ role, teams }, state) => {
      const { access } = existing(state);
      if (access.state !== 'active') refuse('illegal-transition', `this user is ${access.state}`);
      const events = newRole(access, role);
      return [...events, ...joining(events.at(-1)?.data.access ?? access, teams)];
    },
    'user.take-back': (_, state) => {
      const { access } = existing(state);
      const events = newRole(access, nothing.role);
      return [...events, ...leaving(events.at(-1)?.data.access ?? access, access.teams)];
    },
  },
};

/** What somebody has whom nobody gave anything yet. */
const nothing = { role: 'viewer', teams: [] as string[] } as const;

const existing = (state: UserState): NonNullable<UserState> => state ?? refuse('not-found', 'there is no such user');

const newRole = (access: UserAccess, role: UserAccess['role']): UserEvent[] =>
  role === access.role ? [] : [{ type: 'UserRoleChanged', data: { access: { ...access, role } } }];

const suspension = (access: UserAccess, reason: string): UserEvent[] =>
  access.state === 'suspended'
    ? []
    : [{ type: 'UserSuspended', data: { reason, access: { ...access, state: 'suspended' } } }];

function joining(access: UserAccess, names: readonly string[]): UserEvent[] {
  const teams = [...access.teams];
  const events: UserEvent[] = [];
  for (const team of names) {
    if (teams.includes(team)) continue;
    teams.push(team);
    events.push({ type: 'UserJoinedTeam', data: { team, access: { ...access, teams: [...teams] } } });
  }
  if (teams.length > MOST_TEAMS) refuse('out-of-range', `nobody is in more than ${MOST_TEAMS} teams`);
  return events;
}

const leaving = (access: UserAccess, names: readonly string[]): UserEvent[] =>
  names.map((team, index) => {
    const left = names.slice(0, index + 1);
    const teams = access.teams.filter((name) => !left.includes(name));
    return { type: 'UserLeftTeam', data: { team, access: { ...access, teams } } };
  });
