import fc from 'fast-check';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { given } from '@workledger/shared/aggregate/testing.ts';
import type { UserAccess, UserEvent, UserRole } from '@workledger/shared/contexts/agent/user/events.ts';
import { commonRole, covers, userFold, type UserState } from '@workledger/shared/contexts/agent/user/state.ts';
import { describe, expect, it } from 'vitest';
import { user } from './user.ts';

const id = '0190a000-0000-7000-8000-0000000000a1';
const words = { userId: id, name: 'Ada', email: 'ada@example.org' };
const viewer: UserAccess = { state: 'active', role: 'viewer', teams: [] };
const wish = { name: 'Ada', email: 'ada@example.org', role: 'operator' as const, teams: ['core'], onboard: false };
const having = (access: Partial<UserAccess>): UserEvent => ({
  type: 'UserCreated',
  data: { ...words, access: { ...viewer, ...access } },
});
const created = having({ role: 'operator', teams: ['core'] });
const invited: UserEvent = {
  type: 'UserOnboardingRequested',
  data: { ...words, role: 'operator', teams: ['core'], access: { ...viewer, state: 'invited' } },
};
const suspended = (access: Partial<UserAccess> = {}): UserEvent => ({
  type: 'UserSuspended',
  data: { reason: 'left', access: { ...viewer, ...access, state: 'suspended' } },
});
const own = { id };

describe('creating a user', () => {
  it('tells of it', () => given(user).when('user.create', wish, own).then(created));
  it('has each team once', () => {
    given(user)
      .when('user.create', { ...wish, teams: ['core', 'core'] }, own)
      .then(created);
  });
  it('refuses one that exists', () => given(user, created).when('user.create', wish).thenRefused('already-exists'));
  it('with an onboarding gives nothing yet', () => {
    given(user)
      .when('user.create', { ...wish, onboard: true }, own)
      .then(invited);
  });
});

describe('an onboarding', () => {
  it('admits who was invited, as a viewer', () => given(user, invited).when('user.admit', {}, own).then(having({})));
  it('admits once', () => given(user, invited, having({})).when('user.admit', {}).then());
  it('refuses whom somebody suspended meanwhile', () => {
    given(user, invited, suspended()).when('user.admit', {}).thenRefused('illegal-transition');
  });
  it('admits nobody who is not there', () => given(user).when('user.admit', {}).thenRefused('not-found'));
  it('grants role and teams, each event with all that is allowed after it', () => {
    given(user, invited, having({}))
      .when('user.grant', { role: 'operator', teams: ['core', 'web'] })
      .then(
        { type: 'UserRoleChanged', data: { access: { ...viewer, role: 'operator' } } },
        { type: 'UserJoinedTeam', data: { team: 'core', access: { ...viewer, role: 'operator', teams: ['core'] } } },
        {
          type: 'UserJoinedTeam',
          data: { team: 'web', access: { ...viewer, role: 'operator', teams: ['core', 'web'] } },
        },
      );
  });
  it('grants once', () =>
    given(user, created)
      .when('user.grant', { role: 'operator', teams: ['core'] })
      .then());
  it.each([
    ['not admitted', [invited]],
    ['suspended', [created, suspended()]],
  ])('grants nothing to who is %s', (_, events) => {
    given(user, ...events)
      .when('user.grant', { role: 'admin', teams: [] })
      .thenRefused('illegal-transition');
  });
  it('takes back all that was granted', () => {
    given(user, created)
      .when('user.take-back', {})
      .then(
        { type: 'UserRoleChanged', data: { access: { ...viewer, teams: ['core'] } } },
        { type: 'UserLeftTeam', data: { team: 'core', access: viewer } },
      );
  });
  it('takes back nothing where nothing is', () => given(user, having({})).when('user.take-back', {}).then());
  it('that failed leaves the user suspended', () => {
    given(user, having({})).when('user.withdraw', { reason: 'left' }).then(suspended());
  });
  it('withdraws once', () => given(user, having({}), suspended()).when('user.withdraw', { reason: 'x' }).then());
});

describe('changing a user', () => {
  const renamed: UserEvent = { type: 'UserChanged', data: { userId: id, name: 'Eve', access: viewer } };
  it('tells what is new', () => {
    given(user, having({}))
      .when('user.change', { name: 'Eve', email: 'ada@example.org', role: 'viewer' }, own)
      .then(renamed);
  });
  it('takes an address away', () => {
    given(user, having({}))
      .when('user.change', { email: null }, own)
      .then({ type: 'UserChanged', data: { userId: id, email: null, access: viewer } });
  });
  it('gives another role', () => {
    given(user, created)
      .when('user.change', { role: 'viewer' }, own)
      .then({ type: 'UserRoleChanged', data: { access: { ...viewer, teams: ['core'] } } });
  });
  it('refuses one that is not there', () => given(user).when('user.change', {}).thenRefused('not-found'));
  it('by themselves is a new name', () =>
    given(user, having({})).when('user.rename', { name: 'Eve' }, own).then(renamed));
  it('to the same name is nothing', () => given(user, created).when('user.rename', { name: 'Ada' }, own).then());
});

describe('suspending a user', () => {
  it('tells why', () => given(user, having({})).when('user.suspend', { reason: 'left' }).then(suspended()));
  it('twice is nothing', () => given(user, having({}), suspended()).when('user.suspend', { reason: 'x' }).then());
  it('refuses one that is not there', () => given(user).when('user.suspend', { reason: 'x' }).thenRefused('not-found'));
  it('ends', () => {
    given(user, having({}), suspended())
      .when('user.resume', {})
      .then({ type: 'UserResumed', data: { access: viewer } });
  });
  it('that is over ends once', () => given(user, created).when('user.resume', {}).then());
  it('is nothing that an invitation ends', () => {
    given(user, invited).when('user.resume', {}).thenRefused('illegal-transition');
  });
});

describe('teams', () => {
  it('are joined', () => {
    given(user, having({}))
      .when('user.join-team', { team: 'core' })
      .then({ type: 'UserJoinedTeam', data: { team: 'core', access: { ...viewer, teams: ['core'] } } });
  });
  it('are joined once', () => given(user, created).when('user.join-team', { team: 'core' }).then());
  it('are fifty at most', () => {
    const teams = Array.from({ length: 50 }, (_, number) => `team-${number}`);
    given(user, having({ teams })).when('user.join-team', { team: 'core' }).thenRefused('out-of-range');
  });
  it('are left', () => {
    given(user, having({ teams: ['core'] }))
      .when('user.leave-team', { team: 'core' })
      .then({ type: 'UserLeftTeam', data: { team: 'core', access: viewer } });
  });
  it('are left once', () => given(user, having({})).when('user.leave-team', { team: 'core' }).then());
});

describe('roles', () => {
  it.each<[UserRole, UserRole, UserRole]>([
    ['admin', 'operator', 'operator'],
    ['operator', 'admin', 'operator'],
    ['viewer', 'admin', 'viewer'],
    ['auditor', 'operator', 'viewer'],
    ['agent', 'operator', 'viewer'],
  ])('a key of a user of role %s made for %s is one of %s', (ofUser, ofKey, common) => {
    expect(commonRole(ofUser, ofKey)).toBe(common);
  });
  it('what a key may do its user may, whatever the two are', () => {
    const roles: readonly UserRole[] = ['viewer', 'agent', 'operator', 'auditor', 'admin'];
    for (const ofUser of roles)
      for (const ofKey of roles.filter((role) => role !== 'agent')) {
        const common = commonRole(ofUser, ofKey);
        expect([ofUser, ofKey, covers(ofUser, common) && covers(ofKey, common)]).toEqual([ofUser, ofKey, true]);
      }
  });
});

/** What is left of a user when all words are: who is let in, as what, into which teams. */
type Model = { state: UserAccess['state']; role: UserRole; teams: Set<string> } | null;

const team = fc.constantFrom('a', 'b', 'c');
const role = fc.constantFrom<UserRole>('viewer', 'operator', 'auditor', 'admin');
const anyCommand = fc.oneof(
  fc.record({ type: fc.constant('create' as const), role, teams: fc.array(team), onboard: fc.boolean() }),
  fc.record({ type: fc.constantFrom('suspend', 'resume', 'admit', 'withdraw', 'take-back') }),
  fc.record({ type: fc.constantFrom('join-team', 'leave-team'), team }),
  fc.record({ type: fc.constant('change' as const), role }),
  fc.record({ type: fc.constant('grant' as const), role, teams: fc.array(team) }),
);
type Any = { type: string; role?: UserRole; teams?: string[]; team?: string; onboard?: boolean };

/** What should come of a command. Refused: nothing. */
function expectedAfter(before: Model, { type, role = 'viewer', teams = [], team = '', onboard = false }: Any): Model {
  if (type === 'create' && before === null)
    return onboard
      ? { state: 'invited', role: 'viewer', teams: new Set() }
      : { state: 'active', role, teams: new Set(teams) };
  if (before === null) return null;
  const { state } = before;
  if (type === 'suspend' || type === 'withdraw') return { ...before, state: 'suspended' };
  if (type === 'resume' && state === 'suspended') return { ...before, state: 'active' };
  if (type === 'admit' && state === 'invited') return { ...before, state: 'active' };
  if (type === 'change') return { ...before, role };
  if (type === 'join-team') return { ...before, teams: new Set([...before.teams, team]) };
  if (type === 'leave-team') return { ...before, teams: new Set([...before.teams].filter((name) => name !== team)) };
  if (type === 'take-back') return { ...before, role: 'viewer', teams: new Set() };
  if (type === 'grant' && state === 'active') return { ...before, role, teams: new Set([...before.teams, ...teams]) };
  return before;
}

function decide(state: UserState, { type, ...given }: Any): readonly UserEvent[] {
  const all = { name: 'Ada', email: null, reason: 'x', ...given };
  const { decisions } = user;
  const decision = decisions[`user.${type}` as keyof typeof decisions] as (...args: unknown[]) => readonly UserEvent[];
  try {
    return decision(all, state, { id, actor: 'system' });
  } catch (error) {
    if (error instanceof CommandRefused) return [];
    throw error;
  }
}

it('whatever is commanded, the last event alone tells what the user may do', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
      let state: UserState = userFold.initial;
      let model: Model = null;
      for (const command of commands as Any[]) {
        const events = decide(state, command);
        for (const event of events) state = userFold.evolve(state, event);
        model = expectedAfter(model, command);
        const access = state?.access ?? null;
        const last = events.at(-1)?.data.access;
        if (last !== undefined) expect(last).toEqual(access);
        expect(access && { ...access, teams: access.teams.toSorted() }).toEqual(
          model && { ...model, teams: [...model.teams].toSorted() },
        );
      }
    }),
    { numRuns: 300 },
  );
});
