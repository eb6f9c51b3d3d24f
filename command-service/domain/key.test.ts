import { given } from '@workledger/shared/aggregate/testing.ts';
import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import { describe, it } from 'vitest';
import { key } from './key.ts';

const agentId = '0190a000-0000-7000-8000-0000000000a1';
const secretHash = 'ab'.repeat(32);
const secretId = '0190a000-0000-7000-8000-0000000000b2';
const operator = { name: 'Ann', role: 'operator' as const, agentId: null, secretHash };
const ofUser = { name: 'Ann', role: 'operator' as const, agentId: null, userId: agentId, secretId };
const created: KeyEvent = { type: 'KeyCreated', data: operator };
const revoked: KeyEvent = { type: 'KeyRevoked', data: { reason: 'lost' } };

describe('creating a key', () => {
  it('tells of it', () => given(key).when('key.create', operator).then(created));
  it('binds one of role agent to its agent', () => {
    const data = { ...operator, role: 'agent' as const, agentId };
    given(key).when('key.create', data).then({ type: 'KeyCreated', data });
  });
  it('refuses role agent without an agent', () => {
    given(key)
      .when('key.create', { ...operator, role: 'agent' })
      .thenRefused('out-of-range', { errors: [{ path: 'agentId' }] });
  });
  it.each(['viewer', 'operator', 'auditor', 'admin', 'service'] as const)('refuses an agent for role %s', (role) => {
    given(key)
      .when('key.create', { ...operator, role, agentId })
      .thenRefused('out-of-range', { errors: [{ path: 'agentId' }] });
  });
  it('keeps what limits it, and leaves out what does not', () => {
    const limits = { expiresAt: '2027-01-01T00:00:00Z', repositories: ['shop'], macKey: '01234567' };
    given(key)
      .when('key.create', { ...operator, ...limits })
      .then({ type: 'KeyCreated', data: { ...operator, ...limits } });
    given(key)
      .when('key.create', { ...operator, expiresAt: null, repositories: null, macKey: null })
      .then(created);
  });
  it.each(['auditor', 'admin', 'service'] as const)('refuses to limit role %s to repositories', (role) => {
    given(key)
      .when('key.create', { ...operator, role, repositories: ['shop'] })
      .thenRefused('out-of-range', { errors: [{ path: 'repositories' }] });
  });
  it('is of a user, and then names where the hash of its secret is', () => {
    given(key).when('key.create', ofUser).then({ type: 'KeyCreated', data: ofUser });
    given(key)
      .when('key.create', { ...operator, userId: null })
      .then(created);
  });
  it.each([
    ["the hash of a user's secret", 'secretId', { ...operator, userId: agentId }],
    ["the hash of a user's secret beside its place", 'secretId', { ...ofUser, secretHash }],
    ["a user's key without a secret", 'secretId', { ...ofUser, secretId: undefined }],
    ["a place for the hash of nobody's secret", 'secretHash', { ...ofUser, userId: null }],
    ["a place for it beside the hash of nobody's secret", 'secretHash', { ...operator, secretId }],
    ["nobody's key without a secret", 'secretHash', { ...operator, secretHash: undefined }],
  ])('refuses %s', (_, path, data) => {
    given(key)
      .when('key.create', data)
      .thenRefused('out-of-range', { errors: [{ path }] });
  });
  it.each(['agent', 'service'] as const)('refuses a user for role %s', (role) => {
    given(key)
      .when('key.create', { ...ofUser, role, agentId: role === 'agent' ? agentId : null })
      .thenRefused('out-of-range', { errors: [{ path: 'role' }] });
  });
  it('refuses one that exists', () => given(key, created).when('key.create', operator).thenRefused('already-exists'));
  it('refuses one that was revoked', () => {
    given(key, created, revoked).when('key.create', operator).thenRefused('already-exists');
  });
});

describe('revoking a key', () => {
  it('tells of it', () => given(key, created).when('key.revoke', { reason: 'lost' }).then(revoked));
  it('twice is nothing', () => given(key, created, revoked).when('key.revoke', { reason: 'lost' }).then());
  it('refuses one that is not there', () => given(key).when('key.revoke', { reason: 'lost' }).thenRefused('not-found'));
});
