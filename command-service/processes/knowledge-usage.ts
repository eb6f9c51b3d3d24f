import type { Pool } from 'pg';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';

export type KnowledgeUsage = {
  /** Counts one use of an entry; the same command again counts once. */
  count(entryId: string, how: CommandData<'knowledge.use'>['how'], commandId: string): Promise<void>;
};

/** Commands that an entry's row remembers. */
const REMEMBERED = 32;

/** Counters outside the log: a use decides nothing, and there are far more of them than of all that does. */
export const createKnowledgeUsage = (pool: Pool): KnowledgeUsage => ({
  count: async (entryId, how, commandId) => {
    await pool.query(
      `insert into command_service.knowledge_usage as known (entry_id, opened, cited, last_used_at, commands)
       values ($1, $2, $3, clock_timestamp(), array[$4::uuid])
       on conflict (entry_id) do update set
         opened = known.opened + excluded.opened,
         cited = known.cited + excluded.cited,
         last_used_at = excluded.last_used_at,
         commands = (excluded.commands || known.commands)[1:${REMEMBERED}]
       where not known.commands @> excluded.commands`,
      [entryId, how === 'opened' ? 1 : 0, how === 'cited' ? 1 : 0, commandId],
    );
  },
});

export const knowledgeUsageTable: Migration = {
  name: '0043-knowledge-usage',
  up: async (knex) => {
    await knex.raw(`
      create table command_service.knowledge_usage (
        entry_id     uuid primary key,
        opened       bigint not null,
        cited        bigint not null,
        last_used_at timestamptz not null,
        commands     uuid[] not null
      ) with (fillfactor = 50)`);
  },
};
