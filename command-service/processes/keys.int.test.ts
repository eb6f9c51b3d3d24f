import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finishDeregistrations } from './agents.ts';
import { ask, register, startWriteSide, typesOf, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

async function keyOf(agentId: string | null): Promise<{ id: string; key: string }> {
  const id = newId();
  const { key, secretHash } = newApiKey(id);
  const role = agentId === null ? 'operator' : 'agent';
  await ask(side, 'key.create', id, { name: 'x', role, agentId, secretHash });
  return { id, key };
}

const isLetIn = async (key: string): Promise<boolean> => {
  try {
    await authenticateWith(createKeyStore(side.log))(`Bearer ${key}`);
    return true;
  } catch {
    return false;
  }
};
const isRevoked = async (id: string) => (await typesOf(side.log, `key-${id}`)).includes('KeyRevoked');

/** A process that is killed as it is about to revoke a key. */
const killedBeforeKeys = () =>
  side.another({}, (log): EventLog => ({
    ...log,
    append: (stream, ...rest) =>
      stream.startsWith('key-') ? Promise.reject(new Error('killed')) : log.append(stream, ...rest),
  }));

describe('deregistering an agent', () => {
  test('revokes its keys, and no other', async () => {
    const [agentId, otherId] = [await register(side), await register(side)];
    const own = [await keyOf(agentId), await keyOf(agentId)];
    const others = [await keyOf(otherId), await keyOf(null)];
    await ask(side, 'agent.deregister', agentId);
    for (const { id, key } of own) expect([await isLetIn(key), await isRevoked(id)]).toEqual([false, true]);
    for (const { id, key } of others) expect([await isLetIn(key), await isRevoked(id)]).toEqual([true, false]);
  });

  test('killed before its keys are revoked: they are refused at once, and revoked after the next start', async () => {
    const agentId = await register(side);
    const { id, key } = await keyOf(agentId);
    const commands = await killedBeforeKeys();
    await expect(ask({ commands }, 'agent.deregister', agentId)).rejects.toThrow('killed');
    expect([await isLetIn(key), await isRevoked(id)]).toEqual([false, false]);
    const next = await side.another();
    await finishDeregistrations({ commands: next, agentsWithKeysLeft: async () => [agentId] });
    expect([await isLetIn(key), await isRevoked(id)]).toEqual([false, true]);
  });

  test('killed before its keys are revoked, and registered again: they stay refused', async () => {
    const agentId = await register(side);
    const { id, key } = await keyOf(agentId);
    const commands = await killedBeforeKeys();
    await expect(ask({ commands }, 'agent.deregister', agentId)).rejects.toThrow('killed');
    await ask(side, 'agent.register', agentId, { name: 'worker', capacity: 50 });
    expect([await isLetIn(key), await isRevoked(id)]).toEqual([false, true]);
    expect(await isLetIn((await keyOf(agentId)).key)).toBe(true);
  });

  test('a read model that is behind revokes nothing of an agent that is registered', async () => {
    const agentId = await register(side);
    const { key } = await keyOf(agentId);
    await finishDeregistrations({ commands: side.commands, agentsWithKeysLeft: async () => [agentId] });
    expect(await isLetIn(key)).toBe(true);
  });
});
