import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createDatabaseClock } from '../database-clock.ts';
import { sagaMigrations } from '../migrations.ts';
import { runHeartbeat } from './heartbeat.ts';
import { openEffectQueue, type EffectJob, type EffectQueue } from './queue.ts';
import { createRunningJobs, createWorkers } from './running-jobs.ts';
import { runEffects } from './run-effects.ts';

const CALLS = 40;
/** Workers for commands and timers. */
const QUICK = 4;
/** Long before the library's workers look by themselves. */
const SOON_SECONDS = 30;
const { logger } = captureLog('silent');
let database: TestDatabase;
let pool: Pool;
let queue: EffectQueue;
let running: Promise<unknown>;
const stopping = new AbortController();
const asked: string[] = [];
const done: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  const outages = createOutages(logger);
  pool = createDatabasePool({ connectionString: database.url, max: 10, applicationName: 'effects' });
  note(pool);
  queue = await openEffectQueue(pool, logger, outages);
  const task = (payload: unknown): void => void done.push((payload as EffectJob).key);
  const { signal } = stopping;
  const common = { pool, workers: createWorkers(), outages, logger, signal };
  const beating = { ...common, queue, running: createRunningJobs(), clock: createDatabaseClock() };
  running = Promise.all([runEffects({ ...common, task, callConcurrency: CALLS }), runHeartbeat(beating)]);
  await untilTrue(() => jobsAsked() >= CALLS + QUICK);
});
afterAll(async () => {
  stopping.abort();
  await running;
  await queue.close();
  await pool.end();
  await database.drop();
});

/** Notes each statement that is asked through the pool. */
function note(pool: Pool): void {
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...all: unknown[]) => unknown;
    client.query = ((...all: unknown[]) => {
      const [statement] = all;
      asked.push(typeof statement === 'string' ? statement : (statement as { text: string }).text);
      return query(...all);
    }) as typeof client.query;
  });
}
const count = (words: string): number => asked.filter((statement) => statement.includes(words)).length;
const looks = (): number => count("pg_notify('jobs:insert'");
const jobsAsked = (): number => count('select jobs.job_queue_id');

test('an idle runner asks once for all its workers', async () => {
  const [before, from] = [jobsAsked(), looks()];
  await untilTrue(() => looks() >= from + 3);
  expect(jobsAsked() - before).toBeLessThan(CALLS);
});

test('what is queued is done, and what waits for its time is done when that has come', async () => {
  const dueAt = new Date(Date.now() + 1_500).toISOString();
  await queue.enqueue('saga-test-1', { kind: 'timer', key: 'later', dueAt } as never);
  await queue.enqueue('saga-test-1', { kind: 'call', key: 'now' } as never);
  await untilTrue(() => done.includes('later'), SOON_SECONDS);
  expect(done).toEqual(['now', 'later']);
});

test('so is what came while nobody was notified', async () => {
  await database.pool.query(
    `with job as (select graphile_worker.add_job('perform-call', '{"stream":"saga-test-1","key":"quiet"}', run_at => now() + interval '1 day', job_key => 'quiet'))
     select from job`,
  );
  await database.pool.query(`update graphile_worker._private_jobs set run_at = now() where key = 'quiet'`);
  await untilTrue(() => done.includes('quiet'), SOON_SECONDS);
});
