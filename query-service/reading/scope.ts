import type { Knex } from 'knex';
import type { Pool } from 'pg';
import type { ReadModel, ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import { readRow } from './query-route.ts';

/**
 * The repositories that whoever asks is limited to; null: it is not limited. What lies beyond is not there for it: it is left out of
 * lists, and answered 404 by its id.
 */
export type Scope = readonly string[] | null;

/** @param principal null on public routes, which tell nothing of any repository */
export const scopeOf = ({ principal }: { readonly principal: Principal | null }): Scope =>
  principal === null ? [] : principal.repositories;

/** Whether what belongs to this repository is there for whoever asks; what belongs to none is there for those who are not limited. */
export const isWithin = (scope: Scope, { repository }: { readonly repository: string | null }): boolean =>
  scope === null || (repository !== null && scope.includes(repository));

/** Of a list only rows whose own repository is within the scope; `t` is the row. */
export function onlyRepositoriesWithin(query: Knex.QueryBuilder, scope: Scope): void {
  if (scope !== null) query.whereRaw('t.repository = any (?::text[])', [[...scope]]);
}

/** One row of a read model by its id. @param noun what it is called to people @throws Problem `not-found`: it is not there for whoever asks */
export async function readWithin<Row extends ReadModelRow & { readonly repository: string | null }>(
  pool: Pool,
  scope: Scope,
  model: ReadModel<Row>,
  { noun, id }: { readonly noun: string; readonly id: string },
): Promise<Row> {
  const row = await readRow(pool, model, id, noun);
  if (!isWithin(scope, row)) throw new Problem('not-found', `there is no ${noun} ${id}`);
  return row;
}

/** Of a list only rows of tasks within the scope. @param taskId the column that names the task; `t` is the row */
export function onlyWithin(query: Knex.QueryBuilder, scope: Scope, taskId: 't.id' | 't.task_id'): void {
  if (scope === null) return;
  query.whereRaw(
    `exists (select from read_models.tasks scoped where scoped.id = ${taskId} and scoped.repository = any (?::text[]))`,
    [[...scope]],
  );
}

/** @param noun what it is called to people @throws Problem `not-found` where the task of the thing is beyond the scope */
export async function demandWithin(
  pool: Pool,
  scope: Scope,
  taskId: string | null,
  { noun, id }: { readonly noun: string; readonly id: string },
): Promise<void> {
  if (scope === null) return;
  const statement = 'select from read_models.tasks where id = $1 and repository = any ($2::text[])';
  const found = await selectRows<object>(pool, statement, [taskId, scope]);
  if (found.length === 0) throw new Problem('not-found', `there is no ${noun} ${id}`);
}
