import type { Pool } from 'pg';
import { selectRows } from './select-rows.ts';

/** Keys of an agent that are not revoked, of what `projections/keys/` writes. A hint: it may be behind. */
export async function keysOfAgent(pool: Pool, agentId: string): Promise<readonly string[]> {
  const statement = 'select id from read_models.keys where agent_id = $1 and revoked_at is null order by id';
  return (await selectRows<{ id: string }>(pool, statement, [agentId])).map(({ id }) => id);
}

/** Agents that are deregistered and still have keys that are not revoked, at most so many. A hint: the log decides. */
export async function agentsWithKeysLeft(pool: Pool, limit: number): Promise<readonly string[]> {
  const statement = `
select agent_id as id from (select distinct agent_id from read_models.keys where agent_id is not null and revoked_at is null) as k
where exists (select from read_models.agents a where a.id = k.agent_id and not a.registered)
order by agent_id limit $1`;
  return (await selectRows<{ id: string }>(pool, statement, [limit])).map(({ id }) => id);
}

/** How many keys are refused, and not revoked, since the MAC key that they were made under is none of these. */
export async function countKeysOfOtherMacs(pool: Pool, macKeys: readonly string[]): Promise<number> {
  const statement = `
select count(*)::integer as count from read_models.keys
where revoked_at is null and mac_key is not null and mac_key <> all ($1::text[])`;
  return (await selectRows<{ count: number }>(pool, statement, [macKeys]))[0]?.count ?? 0;
}
