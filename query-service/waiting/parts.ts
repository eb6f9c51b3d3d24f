import type { Pool } from 'pg';
import { z } from 'zod';
import { taskRow, taskStates, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Scope } from '../reading/scope.ts';

const MOST_PARTS = 50;
/** Tasks below a whole, at any depth, whose costs are added up. */
const MOST_BELOW = 1_000;

/** How the subtasks of a task stand. */
export const partsSchema = z
  .strictObject({
    total: z.int(),
    states: z.partialRecord(z.enum(taskStates), z.int()).describe('how many are in each state'),
    percent: z.int().min(0).max(100).describe('of them are complete'),
    costUsd: taskRow.shape.progressPercent.describe(
      `US dollars, of all tasks below it (the first ${MOST_BELOW}); null: nobody told`,
    ),
    items: z
      .array(taskRow.pick({ id: true, title: true, state: true }))
      .describe(`the first ${MOST_PARTS}, in their order`),
  })
  .nullable();
type Parts = z.infer<typeof partsSchema>;

const partsSql = `
with recursive below as (
  (select unnest(subtasks) as id from read_models.tasks where id = $1)
  union
  (select unnest(t.subtasks) from below join read_models.tasks t on t.id = below.id)
),
bounded as materialized (select id from below limit ${MOST_BELOW}),
parts as materialized (
  select t.id, t.title, t.state, part.place
  from read_models.tasks whole cross join unnest(whole.subtasks) with ordinality as part (id, place)
  join read_models.tasks t on t.id = part.id
  where whole.id = $1 and ($2::text[] is null or t.repository = any ($2)))
select
  (select coalesce(json_object_agg(state, number), '{}')
    from (select state, count(*)::integer as number from parts group by state) as counted) as states,
  (select coalesce(json_agg(json_build_object('id', id, 'title', title, 'state', state) order by place), '[]')
    from (select * from parts order by place limit ${MOST_PARTS}) as first) as items,
  (select round(sum(c.cost_usd)::numeric, 6)::double precision from read_models.costs c
    where c.last_day is not null and c.task_id in (select id from bounded)
    and ($2::text[] is null or c.repository = any ($2))) as "costUsd"`;

/** Null for a task that does its own work. @param scope repositories whose tasks and costs are shown; null: of all */
export async function partsOf(
  pool: Pool,
  { id, subtasks }: Pick<TaskRow, 'id' | 'subtasks'>,
  scope: Scope,
): Promise<Parts> {
  if (subtasks.length === 0) return null;
  const [row] = await selectRows<Omit<NonNullable<Parts>, 'total' | 'percent'>>(pool, partsSql, [id, scope]);
  if (row === undefined) throw new Error('a query of aggregates answers one row');
  const total = subtasks.length;
  return { total, ...row, percent: Math.floor((100 * (row.states.complete ?? 0)) / total) };
}
