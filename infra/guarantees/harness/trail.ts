import { defineProjection } from '@workledger/projections/engine/projection.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineReadModel, type RowOf } from '@workledger/shared/contexts/define-row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Pool } from 'pg';
import { z } from 'zod';

const trailRow = z.strictObject({ id: z.string(), trail: z.array(z.string()) });
export type TrailRow = RowOf<typeof trailRow>;

/** A projection that notes every event it is given, so that one skipped, repeated or moved is seen in its row. */
export const trail = defineProjection<TrailRow, never>(
  defineReadModel({
    name: 'trail',
    version: 1,
    table: 'trail',
    streams: ['task', 'agent', 'key', 'delivery'],
    schema: trailRow,
  }),
  {
    migrations: [],
    key: ({ stream }: { stream: string }) => [streamId(stream)],
    fold: (row, event: { id: string }, id) => ({ id, trail: [...(row?.trail ?? []), event.id] }),
  },
);

export const createTrailTable = async (pool: Pool): Promise<void> =>
  void (await pool.query('create table read_models.trail_v1 (id text primary key, trail text[] not null)'));

/** The trails by stream id. */
export const readTrails = async (pool: Pool): Promise<Map<string, readonly string[]>> => {
  const rows = await selectRows<TrailRow>(pool, 'select id, trail from read_models.trail_v1');
  return new Map(rows.map((row) => [row.id, row.trail]));
};
