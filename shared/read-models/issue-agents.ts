import type { Pool } from 'pg';
import { selectRows } from './select-rows.ts';

/** What read models know of agents and issues. Only hints: the log decides. */
export type IssueHints = {
  /** Agents that can do an issue, the least loaded first. */
  agentsFor(wanted: {
    readonly capabilities: readonly string[];
    readonly repository: string | null;
    /** Not these. */
    readonly without: readonly string[];
    readonly limit: number;
  }): Promise<readonly string[]>;
  /** Open issues that an agent has, or is asked for. */
  issuesOf(agentId: string, limit: number): Promise<readonly string[]>;
};

/**
 * By what each has in hand, tasks and issues, for its capacity; then by name. An agent whose keys are all limited to other repositories
 * could not even see the issue.
 */
const AGENTS = `
select a.id from read_models.agents a
where a.status in ('idle', 'active', 'busy') and a.kind <> 'monitor' and a.capabilities @> $1::text[] and a.id <> all ($3::text[])
  and (select bool_or(k.repositories is null or coalesce($2::text = any (k.repositories), false))
    from read_models.keys k where k.agent_id = a.id and k.revoked_at is null) is not false
order by (jsonb_array_length(a.claims) + (select count(*) from read_models.issues i
    where i.assignee = 'agent:' || a.id and i.state in ('open', 'in-progress')))::float8 / a.capacity, a.name, a.id
limit $4`;

const ISSUES = `
select id from read_models.issues
where (assignee = $1 or offered_to = $1) and state in ('open', 'in-progress') order by created_at, id limit $2`;

/** Of what `projections/agents/`, `projections/keys/` and `projections/issues/` write. */
export const createIssueHints = (pool: Pool): IssueHints => ({
  agentsFor: async ({ capabilities, repository, without, limit }) =>
    ids(await selectRows<Row>(pool, AGENTS, [capabilities, repository, without, limit])),
  issuesOf: async (agentId, limit) => ids(await selectRows<Row>(pool, ISSUES, [`agent:${agentId}`, limit])),
});

type Row = { readonly id: string };
const ids = (rows: readonly Row[]): readonly string[] => rows.map(({ id }) => id);
