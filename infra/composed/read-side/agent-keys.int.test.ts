import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { agentsWithKeysLeft, countKeysOfOtherMacs, keysOfAgent } from '@workledger/shared/read-models/agent-keys.ts';
import { isNamedWithin } from '@workledger/shared/read-models/artefact-owners.ts';
import { startReadSide, type ReadSide } from './testing.ts';

let side: ReadSide;
beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
});
afterAll(() => side.close());

const registered = {
  type: 'AgentRegistered',
  data: { name: 'a', kind: 'worker', runtime: 'remote', capabilities: [], capacity: 1, coordinatorId: null },
};
const gone = { type: 'AgentDeregistered', data: { reason: 'moved' } };
const revoked = { type: 'KeyRevoked', data: { reason: 'lost' } };

async function agent(...events: { type: string; data: object }[]) {
  const [agentId, keyId, revokedId] = [newId(), newId(), newId()];
  const created = { name: 'k', role: 'agent', agentId, secretHash: 'ab'.repeat(32) };
  const tokens = [
    await side.append(streamName('agent', agentId), registered, ...events),
    await side.append(streamName('key', keyId), { type: 'KeyCreated', data: created }),
    await side.append(streamName('key', revokedId), { type: 'KeyCreated', data: created }, revoked),
  ];
  for (const list of ['agents', 'keys'])
    expect((await side.get(`/${list}`, { 'Consistency-Token': tokens.join(',') })).status).toBe(200);
  return { agentId, keyId };
}

it('finds the keys of an agent that are not revoked, and agents that are gone and have some left', async () => {
  const [here, left] = [await agent(), await agent(gone)];
  const { pool } = side.database;
  expect(await keysOfAgent(pool, here.agentId)).toEqual([here.keyId]);
  expect(await agentsWithKeysLeft(pool, 10)).toEqual([left.agentId]);
  expect(await agentsWithKeysLeft(pool, 0)).toEqual([]);
  await side.append(streamName('key', left.keyId), revoked);
  await expect.poll(() => agentsWithKeysLeft(pool, 10)).toEqual([]);
});

it('counts the keys that a lost MAC key took with it', async () => {
  const created = { name: 'k', role: 'viewer', agentId: null, secretHash: 'ab'.repeat(32), macKey: '01234567' };
  const [stream, gone] = [streamName('key', newId()), streamName('key', newId())];
  const tokens = [
    await side.append(stream, { type: 'KeyCreated', data: created }),
    await side.append(gone, { type: 'KeyCreated', data: created }, revoked),
  ];
  expect((await side.get('/keys', { 'Consistency-Token': tokens.join(',') })).status).toBe(200);
  const { pool } = side.database;
  expect(await countKeysOfOtherMacs(pool, ['89abcdef'])).toBe(1);
  expect(await countKeysOfOtherMacs(pool, ['89abcdef', '01234567'])).toBe(0);
});

it('asks for an artefact and for the keys of an agent along an index, however many there are', async () => {
  // One connection: what it has read it tells itself.
  const pool = new pg.Pool({ connectionString: side.database.url, max: 1 });
  const digest = (number: string): string => `encode(sha256((${number})::text::bytea), 'hex')`;
  const rowsReadInOrder = async (): Promise<number> => {
    await pool.query('select pg_stat_force_next_flush()');
    const { rows } = await pool.query<{ read: string }>(
      `select sum(seq_tup_read) as read from pg_stat_user_tables where relname in ('artefact_owners_v1', 'keys_v1')`,
    );
    return Number(rows[0]!.read);
  };
  try {
    await pool.query(`
      insert into read_models.artefact_owners_v1
        select 'generation-' || i || '/x', ${digest('i')}, 'generation', i::text from generate_series(1, 20000) i`);
    await pool.query(`
      insert into read_models.keys_v1 (id, revision, name, role, agent_id, created_at)
        select 'planted-' || i, 0, 'k', 'agent', 'agent-' || i % 10000, now() from generate_series(1, 20000) i`);
    await pool.query('analyze read_models.artefact_owners_v1, read_models.keys_v1');
    const known = await pool.query<{ digest: string }>(`select ${digest('7')} as digest`);
    const before = await rowsReadInOrder();
    expect(await isNamedWithin(pool, ['mine'], known.rows[0]!.digest)).toBe(false);
    expect(await keysOfAgent(pool, 'agent-7')).toEqual(['planted-10007', 'planted-7']);
    expect((await rowsReadInOrder()) - before).toBe(0);
    // What would tell of an index that is not used.
    await pool.query('select count(*) from read_models.keys_v1 where name = $1', ['k']);
    expect((await rowsReadInOrder()) - before).toBeGreaterThanOrEqual(20_000);
  } finally {
    await pool.end();
  }
});
