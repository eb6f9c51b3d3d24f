import { setTimeout as pause } from 'node:timers/promises';
import { runReadModels } from '@workledger/projections/all.ts';
import { createSettle } from '@workledger/query-service/reading/consistency.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { anyMetadata } from '../../testing/events/any-event.ts';
import { makeHistories } from '../../testing/events/histories.ts';
import { createRandom } from '../../testing/events/random.ts';
import { logger, type Place } from './run-until.ts';

export type Visible = { readonly perSecond: number; readonly p50: number; readonly p99: number };

export type Load = {
  /** Appends a second. */
  readonly rate: number;
  readonly seconds: number;
  /** What the projections wake. */
  readonly tell: WakeUps;
  /** What the queries hear: the same, or another process's. */
  readonly wakeUps: WakeUps;
};

/**
 * Appends the first event of a task so many times a second, waits for each until a query with its token would answer, and
 * tells how long that took after the append was accepted, in milliseconds.
 */
export async function timeUntilVisible(place: Place, { rate, seconds, tell, wakeUps }: Load): Promise<Visible> {
  const { log, bus, pool } = place;
  const stopping = new AbortController();
  const running = runReadModels({ log, bus, pool, logger, signal: stopping.signal, onApplied: tell.wake });
  const settle = createSettle({ pool, wakeUps, waitMilliseconds: 60_000 });
  const times: number[] = [];
  const one = async (): Promise<void> => {
    const token = await createTask(log);
    const accepted = performance.now();
    await settle(token, [taskModel], stopping.signal, 'bench');
    times.push(performance.now() - accepted);
  };
  while ((await topicsFollowed(pool)) === 0) await pause(50);
  for (let warming = 0; warming < 20; warming++) await Promise.all(Array.from({ length: 20 }, one));
  times.length = 0;

  const started = performance.now();
  const asked: Promise<void>[] = [];
  while (performance.now() - started < seconds * 1000) {
    const due = ((performance.now() - started) / 1000) * rate;
    while (asked.length < due) asked.push(one());
    await pause(1);
  }
  await Promise.all(asked);
  const perSecond = times.length / ((performance.now() - started) / 1000);
  stopping.abort();
  await running;
  times.sort((a, b) => a - b);
  const percentile = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { perSecond, p50: percentile(0.5), p99: percentile(0.99) };
}

/** Partitions that the tasks follow: none while they still catch up. */
async function topicsFollowed(pool: Place['pool']): Promise<number> {
  const { rowCount } = await pool.query(
    "select from read_models.progress where projection = 'tasks' and topic = 'task'",
  );
  return rowCount ?? 0;
}

const random = createRandom(7);

async function createTask(log: EventLog): Promise<string> {
  const stream = streamName('task', newId());
  const first = makeHistories(random, 1, ['task'])[0]?.events.slice(0, 1) ?? [];
  const { revision } = await log.append(stream, encode(stream, first, anyMetadata()), 'none');
  return `${stream}@${revision}`;
}
