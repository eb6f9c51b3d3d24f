import type { Pool } from 'pg';
import { Problem } from '@workledger/shared/http/problem.ts';
import { selectList, type ReadModel, type ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';

/** The row of an id. @param noun what it is called to people @throws Problem `not-found` */
export async function readRow<Row extends ReadModelRow>(
  pool: Pool,
  model: ReadModel<Row>,
  id: string,
  noun: string,
): Promise<Row> {
  const [row] = await selectRows<Row>(
    pool,
    `select ${selectList(model.columns)} from read_models.${model.table} where id = $1`,
    [id.toLowerCase()],
  );
  if (row === undefined) throw new Problem('not-found', `there is no ${noun} ${id}`);
  return row;
}
