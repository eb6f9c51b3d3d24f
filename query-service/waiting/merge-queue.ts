import type { Pool } from 'pg';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import { MOST_AHEAD, type WaitingReason } from './reasons.ts';

/** Of each task in a merge queue: how many are before it, and whose turn comes just before. A queue is short: its tasks have agents. */
const placesSql = `
select own.task_id as "taskId", own.state, before.number, before.task_id as behind
from read_models.merge_queues own
left join lateral (
  select count(*) over ()::integer as number, earlier.task_id
  from (
    select other.task_id, other.queued_at, other.id from read_models.merge_queues other
    where other.queue_id = own.queue_id and other.state in ('waiting', 'turn')
      and (other.queued_at, other.id) < (own.queued_at, own.id)
    order by other.queued_at desc, other.id desc limit ${MOST_AHEAD}
  ) as earlier
  order by earlier.queued_at desc, earlier.id desc limit 1
) as before on true
where own.task_id = any ($1::text[]) and own.state in ('waiting', 'turn')`;

/** Where tasks stand in the queues of their repositories; empty where there are no such queues yet. */
export async function mergeQueueReasons(
  pool: Pool,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, readonly WaitingReason[]>> {
  if (taskIds.length === 0) return new Map();
  const [queues] = await selectRows<{ there: boolean }>(
    pool,
    `select to_regclass('read_models.merge_queues') is not null as there`,
  );
  if (queues?.there !== true) return new Map();
  const rows = await selectRows<{ taskId: string; number: number | null; behind: string | null }>(pool, placesSql, [
    taskIds,
  ]);
  return new Map(
    rows.map(({ taskId, number, behind }) => {
      const position = (number ?? 0) + 1;
      const text =
        behind === null
          ? 'it has its turn in the merge queue'
          : `place ${position} in the merge queue, behind ${behind}`;
      return [taskId, [{ kind: 'merge-queue', position, behind, text }]];
    }),
  );
}
