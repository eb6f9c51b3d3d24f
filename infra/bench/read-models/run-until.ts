import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Projection } from '@workledger/projections/engine/projection.ts';
import { runProjection } from '@workledger/projections/engine/run-projection.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

export type Place = { readonly log: EventLog; readonly bus: EventBus; readonly pool: Pool };

const tell = (facts: object, message: string): void => console.error(message, facts);
export const logger = { info: () => undefined, error: tell };

/** Runs projections, as one worker does, until they have applied so many events. @returns seconds that it took */
export async function runUntil(
  projections: readonly Projection[],
  { log, bus, pool }: Place,
  events: number,
): Promise<number> {
  const stopping = new AbortController();
  const started = performance.now();
  const running = Promise.all(
    projections.map((projection) => runProjection({ projection, log, bus, pool, logger, signal: stopping.signal })),
  );
  const names = projections.map(({ name }) => name);
  while ((await eventsSeen(pool, names)) < events) await pause(50);
  const seconds = (performance.now() - started) / 1000;
  stopping.abort();
  await running;
  return seconds;
}

async function eventsSeen(pool: Pool, names: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ seen: number }>(
    'select coalesce(sum(revision + 1), 0)::integer as seen from read_models.streams where projection = any($1)',
    [names],
  );
  return rows[0]?.seen ?? 0;
}
