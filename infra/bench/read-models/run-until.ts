import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Projection } from '@workledger/projections/engine/projection.ts';
import { runProjections } from '@workledger/projections/engine/run-projections.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

export type Place = { readonly log: EventLog; readonly bus: EventBus; readonly pool: Pool };

const tell = (facts: object, message: string): void => console.error(message, facts);
export const logger = { info: () => undefined, error: tell };

export type Took = {
  readonly seconds: number;
  /** Of this process: what a machine that is busy with other things does not change. */
  readonly cpuSeconds: number;
};

/** Runs projections, as one worker does, until they have applied so many events. */
export async function runUntil(
  projections: readonly Projection[],
  { log, bus, pool }: Place,
  events: number,
): Promise<Took> {
  const stopping = new AbortController();
  const running = runProjections({ projections, log, bus, pool, logger, signal: stopping.signal });
  const names = projections.map(({ name }) => name);
  const took = await timed(async () => {
    while ((await eventsSeen(pool, names)) < events) await pause(50);
  });
  stopping.abort();
  await running;
  return took;
}

export async function timed(work: () => Promise<unknown>): Promise<Took> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
}

async function eventsSeen(pool: Pool, names: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ seen: number }>(
    'select coalesce(sum(revision + 1), 0)::integer as seen from read_models.streams where projection = any($1)',
    [names],
  );
  return rows[0]?.seen ?? 0;
}
