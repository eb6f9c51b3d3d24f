import { expect, it } from 'vitest';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import type { UserAccess, UserEvent } from '@workledger/shared/contexts/agent/user/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { foldAll } from '../engine/fold-all.ts';
import { users } from './projection.ts';

const id = newId();
const words = { userId: id, name: 'Ada', email: 'ada@example.org' };
const viewer: UserAccess = { state: 'active', role: 'viewer', teams: [] };
const inTeam: UserAccess = { state: 'active', role: 'operator', teams: ['core'] };
const onboarded: UserEvent[] = [
  {
    type: 'UserOnboardingRequested',
    data: { ...words, role: 'operator', teams: ['core'], access: { ...viewer, state: 'invited' } },
  },
  { type: 'UserCreated', data: { ...words, access: viewer } },
  { type: 'UserRoleChanged', data: { access: { ...viewer, role: 'operator' } } },
  { type: 'UserJoinedTeam', data: { team: 'core', access: inTeam } },
];
const rowAfter = (...events: UserEvent[]) =>
  foldAll(users, history(streamName('user', id), [...onboarded, ...events])).get(id);

it('has who a user is and what they may do', () => {
  expect(rowAfter()).toEqual({
    ...{ id, revision: 3, name: 'Ada', email: 'ada@example.org', ...inTeam, suspendedReason: null },
    ...{ createdAt: timeOf(0), updatedAt: timeOf(3) },
  });
});

it('has new words and keeps the others', () => {
  const changed: UserEvent = { type: 'UserChanged', data: { userId: id, email: null, access: inTeam } };
  expect(rowAfter(changed)).toMatchObject({ name: 'Ada', email: null, ...inTeam });
});

it('has why a user is suspended, as long as that is so', () => {
  const suspended: UserEvent = {
    type: 'UserSuspended',
    data: { reason: 'left', access: { ...inTeam, state: 'suspended' } },
  };
  expect(rowAfter(suspended)).toMatchObject({ state: 'suspended', suspendedReason: 'left', teams: ['core'] });
  const resumed: UserEvent = { type: 'UserResumed', data: { access: inTeam } };
  expect(rowAfter(suspended, resumed)).toMatchObject({ state: 'active', suspendedReason: null });
});

it('has no team that was left', () => {
  const left: UserEvent = { type: 'UserLeftTeam', data: { team: 'core', access: { ...inTeam, teams: [] } } };
  expect(rowAfter(left)).toMatchObject({ teams: [], role: 'operator' });
});
