import { describe, expect, test } from 'vitest';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import { newId, streamName } from '../contexts/stream.ts';
import type { EventLog } from '../event-log/port.ts';
import { encode } from '../events/codec.ts';
import { toProblem } from '../http/problem.ts';
import { newApiKey } from './api-key.ts';
import { authenticateWith } from './authenticate.ts';
import { createKeyStore, type SecretHashOf } from './key-store.ts';

const [id, userId, secretId] = [newId(), newId(), newId()];
const { key, secretHash } = newApiKey(id);
const access = { state: 'active', role: 'operator', teams: [] };
const ofUser: DomainEvent = {
  type: 'KeyCreated',
  data: { name: 'x', role: 'operator', agentId: null, userId, secretId },
};
const revoked: DomainEvent = { type: 'KeyRevoked', data: { reason: 'lost' } };

function logOf(...events: DomainEvent[]): Pick<EventLog, 'readStream'> {
  const streams = new Map([
    [streamName('key', id), events],
    [streamName('user', userId), [{ type: 'UserRoleChanged', data: { access } }]],
  ]);
  const ids = { correlationId: 'c', causationId: null, commandId: newId(), commandHash: '0' };
  return {
    async *readStream(stream) {
      const encoded = encode(stream, streams.get(stream) ?? [], { ...ids, actor: 'system', traceparent: null });
      for (const [revision, event] of encoded.entries())
        yield { ...event, stream, revision, position: 1n, recordedAt: new Date(0) };
    },
  };
}

/** A table of one row; `asked` is what was looked for. */
function tableOf(hash: string | null) {
  const table = { hash, asked: [] as string[], away: null as Error | null };
  const secretHashOf: SecretHashOf = async (...names) => {
    table.asked.push(names.join(' '));
    if (table.away !== null) throw table.away;
    return table.hash;
  };
  return { table, secretHashOf };
}

function door(events: DomainEvent[], secretHashOf: SecretHashOf | undefined, maxAge = 1_000) {
  const { logger, lines } = captureLog();
  const keys = createKeyStore(logOf(...events), { maxAge, ...(secretHashOf && { secretHashOf }) });
  const authenticate = authenticateWith(keys, { logger });
  const ask = async (sent = key): Promise<unknown> => {
    try {
      return (await authenticate(`Bearer ${sent}`)).actor;
    } catch (error) {
      return toProblem(error).code;
    }
  };
  return { ask, keys, faults: () => lines().map(({ fault }) => fault) };
}

describe("the secret of a user's key", () => {
  test('is compared with the hash in the table, which is looked up with the key and kept as long', async () => {
    const { table, secretHashOf } = tableOf(secretHash);
    const { ask, keys } = door([ofUser], secretHashOf);
    expect([await ask(), await ask(), await ask(newApiKey(id).key)]).toEqual([
      `user:${userId}`,
      `user:${userId}`,
      'unauthenticated',
    ]);
    expect(table.asked).toEqual([`${id} ${secretId}`]);
    keys.forget(id);
    expect([await ask(), table.asked.length]).toEqual([`user:${userId}`, 2]);
  });

  test('that is not in the table opens nothing, and why is logged', async () => {
    const { ask, faults } = door([ofUser], tableOf(null).secretHashOf);
    expect([await ask(), faults()]).toEqual(['unauthenticated', ['no secret']]);
    expect(await door([ofUser], undefined).ask()).toBe('unauthenticated');
  });

  test('is not looked for once the key was revoked', async () => {
    const { table, secretHashOf } = tableOf(secretHash);
    const { ask, faults } = door([ofUser, revoked], secretHashOf);
    expect([await ask(), faults(), table.asked]).toEqual(['unauthenticated', ['revoked'], []]);
  });

  test('is neither right nor wrong while the table is away: no failed attempt, and found again when it is back', async () => {
    const { table, secretHashOf } = tableOf(secretHash);
    const { ask, faults } = door([ofUser], secretHashOf);
    table.away = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    for (let count = 0; count < 30; count++) expect(await ask()).toBe('unavailable');
    table.away = null;
    expect([await ask(), faults()]).toEqual([`user:${userId}`, []]);
  });

  test('is read anew when what was kept is too old: removed from the table, it opens nothing any more', async () => {
    const { table, secretHashOf } = tableOf(secretHash);
    const { ask } = door([ofUser], secretHashOf, 0);
    expect(await ask()).toBe(`user:${userId}`);
    table.hash = null;
    expect(await ask()).toBe('unauthenticated');
  });
});

test('a key whose hash is in its event needs no table, whoever it belongs to', async () => {
  const { table, secretHashOf } = tableOf(null);
  const { secretId: _, ...data } = ofUser.data as Record<string, unknown>;
  const ofBefore = { type: 'KeyCreated', data: { ...data, secretHash } };
  expect(await door([ofBefore], secretHashOf).ask()).toBe(`user:${userId}`);
  const nobodys = { type: 'KeyCreated', data: { name: 'x', role: 'operator', agentId: null, secretHash } };
  expect(await door([nobodys], secretHashOf).ask()).toBe(`key:${id}`);
  expect(table.asked).toEqual([]);
});
