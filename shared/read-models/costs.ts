import { z } from 'zod';
import type { Pool } from 'pg';
import { defineReadModel, type RowOf } from '../contexts/define-row.ts';
import { uuid } from '../contexts/values.ts';
import { selectRows } from './select-rows.ts';

const day = z.iso.date().describe('in UTC');

/** What the agents of one generation or evolution cost, attempts that failed included. */
const costRow = z.strictObject({
  id: uuid.describe('of the generation or evolution'),
  kind: z.enum(['generation', 'evolution']),
  taskId: uuid,
  runId: uuid,
  repository: z.string(),
  agentId: z.string().nullable().describe('who was asked first; null: the events do not tell'),
  costUsd: z.number(),
  days: z.array(z.strictObject({ day, costUsd: z.number() })),
  lastDay: day.nullable().describe('the last of days; null: nothing was told'),
  lastDayUsd: z.number(),
});
export type CostRow = RowOf<typeof costRow>;

export const costModel = defineReadModel({
  name: 'costs',
  version: 1,
  table: 'costs',
  streams: ['generation', 'evolution'],
  schema: costRow,
});

/** The UTC day of a moment, `2026-01-31`. */
export const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10);

/** What a day cost so far, US dollars: in all, and by repository. */
export type DayCosts = { readonly total: number; readonly byRepository: ReadonlyMap<string, number> };

/** What agents cost on a day that is not over; of days before, only what was not spent later on. Reads what was paid since, and no more. */
export async function costsOfDay(pool: Pool, day: string): Promise<DayCosts> {
  const rows = await selectRows<{ repository: string; usd: number }>(
    pool,
    `select repository, round(sum(last_day_usd)::numeric, 6)::double precision as usd from read_models.costs where last_day = $1 group by repository`,
    [day],
  );
  return {
    total: rows.reduce((sum, { usd }) => sum + usd, 0),
    byRepository: new Map(rows.map(({ repository, usd }) => [repository, usd])),
  };
}

/** What agents cost for a task in all its runs, US dollars; null: nobody told. A hint: it may be behind. */
export async function costOfTask(pool: Pool, taskId: string): Promise<number | null> {
  return (await costsOfTasks(pool, [taskId])).get(taskId) ?? null;
}

/** The same of several tasks; those of which nobody told are left out. */
export async function costsOfTasks(pool: Pool, taskIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (taskIds.length === 0) return new Map();
  const rows = await selectRows<{ taskId: string; usd: number }>(
    pool,
    `select task_id as "taskId", round(sum(cost_usd)::numeric, 6)::double precision as usd from read_models.costs
     where task_id = any ($1::text[]) and last_day is not null group by task_id`,
    [taskIds],
  );
  return new Map(rows.map(({ taskId, usd }) => [taskId, usd]));
}
