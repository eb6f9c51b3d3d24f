import type { Pool } from 'pg';
import { z } from 'zod';
import { defineReadModel, type RowOf } from '../contexts/define-row.ts';
import { selectRows } from './select-rows.ts';

/** That an event of a stream names an artefact. Whose task the stream is about is asked when it is asked: its own row tells. */
const artefactOwnerRow = z.strictObject({
  id: z.string().describe('`<stream>/<digest>`'),
  digest: z.string(),
  streamType: z.string(),
  ownerId: z.string(),
});
export type ArtefactOwnerRow = RowOf<typeof artefactOwnerRow>;

/** Streams that are about one task, and the table whose row names it. A delivery is about none: its body is for operators. */
const TABLES = {
  generation: 'generations',
  evolution: 'evolutions',
  validation: 'validations',
  'saga-code-evolution': 'pipelines',
} as const;

export const artefactOwnerModel = defineReadModel({
  name: 'artefact-owners',
  version: 1,
  table: 'artefact_owners',
  streams: ['task', ...Object.keys(TABLES)],
  schema: artefactOwnerRow,
});

const tasksOfRuns = Object.entries(TABLES).map(
  ([streamType, table]) => `
union all
select run.task_id from owners join read_models.${table} run on run.id = owners.owner_id where owners.stream_type = '${streamType}'`,
);

const isNamedSql = `
with owners as materialized (select stream_type, owner_id from read_models.artefact_owners where digest = $1)
select from read_models.tasks
where repository = any ($2::text[]) and id in (
  select owner_id from owners where stream_type = 'task'${tasksOfRuns.join('')})
limit 1`;

/** Whether a task of these repositories, or what was done for one, names the artefact. */
export const isNamedWithin = async (pool: Pool, repositories: readonly string[], digest: string): Promise<boolean> =>
  (await selectRows<object>(pool, isNamedSql, [digest, repositories])).length > 0;
