import type { Pool } from 'pg';

/**
 * Puts tasks that wait straight into the read model, in seconds.
 * @param capabilities each task needs one of these; priorities and ages are spread evenly, a tenth has no repository
 */
export async function plantTasks(
  pool: Pool,
  { waiting, capabilities }: { readonly waiting: number; readonly capabilities: readonly string[] },
): Promise<void> {
  await pool.query(
    `insert into read_models.tasks_v1 (id, revision, state, title, description, priority, labels, metadata, capabilities,
       repository, subtasks, source_kind, attempts, sent_back, created_at, waiting_since, updated_at)
     select gen_random_uuid(), 0, 'pending', 'Task ' || number, '', 1 + number % 5, '{}', '{}',
       array[($2::text[])[1 + number % cardinality($2::text[])]], case when number % 10 > 0 then 'sample' end, '{}', 'api', 0, 0,
       waiting.since, waiting.since, waiting.since
     from generate_series(1, $1::integer) as number,
       lateral (select now() - (number * 7919 % 100000) * interval '1 second' as since) as waiting`,
    [waiting, [...capabilities]],
  );
  await pool.query('analyze read_models.tasks_v1');
}
