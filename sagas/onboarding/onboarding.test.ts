import { expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { onboarding } from './onboarding.ts';

const userId = newId();
const wanted = { role: 'operator', teams: ['core'] };
const access = { state: 'invited', role: 'viewer', teams: [] };

function invitation() {
  const run = scenario(onboarding);
  run.receives('user', userId, 'UserOnboardingRequested', { userId, ...wanted, access });
  return run;
}

it('creates the user, gives what was asked for, and says welcome', () => {
  const run = invitation();
  expect(run.requested('create/1/1/admit')).toMatchObject({ type: 'user.admit', target: userId, data: {} });
  run.receivesAgain();
  expect(run.open()).toEqual(['create/1/1/admit']);
  run.succeeds('create/1/1/admit');
  expect(run.requested('permissions/1/1/grant')).toMatchObject({ type: 'user.grant', target: userId, data: wanted });
  run.succeeds('permissions/1/1/grant');
  const to = { kind: 'participant', participant: `user:${userId}` };
  expect(run.requested('welcome/1/1/send')).toMatchObject({ type: 'message.send', data: { to } });
  run.succeeds('welcome/1/1/send');
  expect([run.open(), run.ended()]).toEqual([[], 'completed']);
});

it('begins with an invitation, and with nothing else that happens to a user', () => {
  const correlated = (type: string) =>
    onboarding.correlate({ type, stream: streamName('user', userId), data: {} } as RecordedEvent);
  expect([correlated('UserOnboardingRequested'), correlated('UserCreated')]).toEqual([userId, null]);
});

it('withdraws a user whose creation was refused', () => {
  const run = invitation();
  run.fails('create/1/1/admit');
  expect(run.requested('undo/create/1/withdraw')).toMatchObject({ type: 'user.withdraw', target: userId });
  run.succeeds('undo/create/1/withdraw');
  expect([run.open(), run.ended()]).toEqual([[], 'failed']);
});

it('takes back what may have been given, then withdraws the user, when that failed', () => {
  const run = invitation();
  run.succeeds('create/1/1/admit');
  run.fails('permissions/1/1/grant');
  expect(run.open()).toEqual(['undo/permissions/1/take-back']);
  run.succeeds('undo/permissions/1/take-back');
  expect(run.open()).toEqual(['undo/create/1/withdraw']);
  run.succeeds('undo/create/1/withdraw');
  expect(run.ended()).toBe('failed');
});

it('undoes in reverse order when the welcome cannot be sent', () => {
  const run = invitation();
  run.succeeds('create/1/1/admit');
  run.succeeds('permissions/1/1/grant');
  run.fails('welcome/1/1/send');
  run.succeeds('undo/permissions/1/take-back');
  run.succeeds('undo/create/1/withdraw');
  expect(run.steps().filter((step) => / (failed|compensated)$/.test(step))).toEqual([
    'welcome failed',
    'welcome compensated',
    'permissions compensated',
    'create compensated',
  ]);
  expect(run.ended()).toBe('failed');
});
