import { expect, it } from 'vitest';
import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { keys } from './projection.ts';

const id = newId();
const events: KeyEvent[] = [
  { type: 'KeyCreated', data: { name: 'ci', role: 'operator', agentId: null, secretHash: 'ab'.repeat(32) } },
  { type: 'KeyRevoked', data: { reason: 'lost' } },
];

it('has name, role and times of a key, and nothing that helps to guess it', () => {
  const rows = foldAll(keys, history(streamName('key', id), events));
  expect([...rows.values()]).toEqual([
    {
      id,
      revision: 1,
      name: 'ci',
      role: 'operator',
      agentId: null,
      createdAt: timeOf(0),
      revokedAt: timeOf(1),
      reason: 'lost',
      ...{ expiresAt: null, repositories: null, macKey: null, userId: null },
    },
  ]);
});

it('has what limits a key, and whose it is', () => {
  const limits = { expiresAt: '2027-01-01T00:00:00Z', repositories: ['shop'], macKey: '01234567', userId: newId() };
  const key = { name: 'ci', role: 'operator' as const, agentId: null, secretHash: 'ab'.repeat(32), ...limits };
  const rows = foldAll(keys, history(streamName('key', id), [{ type: 'KeyCreated', data: key }]));
  expect(rows.get(id)).toMatchObject(limits);
});
