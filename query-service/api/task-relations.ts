import type { Pool } from 'pg';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';

export type TaskRelations = {
  readonly blocked: boolean;
  /** What it waits for; state null: not known here yet. */
  readonly dependencies: readonly {
    readonly taskId: string;
    readonly title: string | null;
    readonly state: string | null;
  }[];
  readonly dependents: readonly {
    readonly taskId: string;
    readonly title: string | null;
    readonly state: string | null;
  }[];
  readonly pipelines: readonly { readonly id: string; readonly state: string; readonly startedAt: string }[];
  readonly generations: readonly { readonly id: string; readonly state: string }[];
  readonly evolutions: readonly { readonly id: string; readonly state: string }[];
  readonly validations: readonly { readonly id: string; readonly state: string }[];
};

const edges = (from: string, to: string): string => `
coalesce((select json_agg(json_build_object('taskId', d.${to}, 'title', n.title, 'state', n.state) order by d.added_at, d.id)
  from read_models.dependencies d left join read_models.tasks n on n.id = d.${to} where d.${from} = $1), '[]')`;

const runs = (table: string, time: string, fields = ''): string => `
coalesce((select json_agg(json_build_object('id', r.id, 'state', r.state${fields}) order by r.${time}, r.id)
  from read_models.${table} r where r.task_id = $1), '[]')`;

const taskRelationsSql = `
select
  exists (select from read_models.dependencies d left join read_models.tasks n on n.id = d.depends_on
    where d.task_id = $1 and n.state is distinct from 'complete') as blocked,
  ${edges('task_id', 'depends_on')} as dependencies,
  ${edges('depends_on', 'task_id')} as dependents,
  ${runs('pipelines', 'started_at', ", 'startedAt', r.started_at")} as pipelines,
  ${runs('generations', 'requested_at')} as generations,
  ${runs('evolutions', 'started_at')} as evolutions,
  ${runs('validations', 'requested_at')} as validations`;

/** What hangs together with a task, in one query. */
export async function taskRelations(pool: Pool, taskId: string): Promise<TaskRelations> {
  const [row] = await selectRows<TaskRelations>(pool, taskRelationsSql, [taskId]);
  if (row === undefined) throw new Error('a query without a table answers one row');
  return row;
}
