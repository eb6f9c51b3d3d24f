import { defineProjection } from '@workledger/projections/engine/projection.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineReadModel } from '@workledger/shared/contexts/define-row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Pool } from 'pg';

export type TrailRow = { readonly id: string; readonly trail: readonly string[] };

/** A projection that notes every event it is given, so that one skipped, repeated or moved is seen in its row. */
export const trail = defineProjection<TrailRow, never>(
  defineReadModel<TrailRow>({
    name: 'trail',
    version: 1,
    table: 'trail',
    streams: ['task', 'agent', 'key', 'delivery'],
    columns: { id: true, trail: true },
  }),
  {
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
