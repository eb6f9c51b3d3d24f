import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { createPostgresWakeUps, type PostgresWakeUps } from './notifier.ts';

const NEVER = 60_000;

let database: TestDatabase;
let projections: PostgresWakeUps;
let queries: PostgresWakeUps;
beforeEach(async () => {
  database = await createTestDatabase();
  const open = (applicationName: string) => createPostgresWakeUps({ connectionString: database.url, applicationName });
  [projections, queries] = [open('projections'), open('queries')];
});
afterEach(async () => {
  await Promise.all([projections.close(), queries.close()]);
  await database.drop();
});

/** Wakes again and again, as a busy projection does, until the waiting one has heard it. */
async function wakeUntilHeard(heard: Promise<void>): Promise<void> {
  const waking = setInterval(() => projections.wake(), 10);
  await heard.finally(() => clearInterval(waking));
}
const listening = (): Promise<number> =>
  database.pool
    .query("select from pg_stat_activity where application_name = 'queries' and query like '%listen read_models%'")
    .then(({ rowCount }) => rowCount ?? 0);
async function untilListening(): Promise<void> {
  while ((await listening()) === 0) await pause(10);
}

it('a reader hears in its process what a projection wakes in another', async () => {
  await wakeUntilHeard(queries.next(NEVER));
});

it('a reader in the same process is woken at once', async () => {
  const heard = projections.next(NEVER);
  projections.wake();
  await heard;
});

it('a connection that was cut comes back by itself', async () => {
  await untilListening();
  await database.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('queries', 'projections')",
  );
  await wakeUntilHeard(queries.next(NEVER));
});

it('sends few notifications, however many batches are applied', async () => {
  await untilListening();
  await wakeUntilHeard(queries.next(NEVER));
  let heard = 0;
  const listener = await database.pool.connect();
  listener.on('notification', () => heard++);
  await listener.query('listen read_models');
  for (let applied = 0; applied < 2_000; applied++) {
    projections.wake();
    if (applied % 10 === 0) await pause(1);
  }
  await wakeUntilHeard(queries.next(NEVER));
  await listener.query('unlisten read_models');
  listener.release();
  expect(heard).toBeGreaterThan(0);
  expect(heard).toBeLessThan(200);
});
