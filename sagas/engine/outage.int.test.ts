import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Pool } from 'pg';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { startProxy, type Proxy } from '@workledger/infra/testing/servers/database-proxy.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { sagaMigrations } from './migrations.ts';
import { createTrial, hang, isResult, startEngine, withResolvers, type Trial, type Work } from './testing/trial.ts';

let database: TestDatabase;
let proxy: Proxy;
/** Through the proxy, as the engine uses them; the trial goes straight to the server. */
let pool: Pool;
let log: EventLog;
let straight: EventLog;
let trial: Trial;
let captured: ReturnType<typeof captureLog>;
const calls: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  straight = await createPostgresEventLog({ connectionString: database.url });
  trial = createTrial(straight);
  proxy = await startProxy(database.url);
  log = await createPostgresEventLog({ connectionString: proxy.url, patienceMilliseconds: 500 });
  pool = createDatabasePool({ connectionString: proxy.url, max: 10, applicationName: 'sagas-under-test' });
});
beforeEach(() => {
  captured = captureLog();
  calls.length = 0;
});
afterAll(async () => {
  await proxy.open();
  await log.close();
  await pool.end();
  await proxy.close();
  await straight.close();
  await database.drop();
});

const start = (work: Work): (() => Promise<void>) => {
  const { logger } = captured;
  return startEngine({ log, pool, work, calls, logger, alone: false });
};
const said = (dependency: string): string[] =>
  captured
    .lines()
    .flatMap((line) => (line['dependency'] === dependency && line['level'] !== 'debug' ? [String(line['msg'])] : []));
/** What an operator is disturbed with, beside a server that is away or back. */
const alarms = (): unknown[] =>
  captured.lines().flatMap((line) => (line['level'] !== 'debug' && !('dependency' in line) ? [line['msg']] : []));

describe('sagas while PostgreSQL is away', () => {
  it('start when it is there, and say once that they waited', async () => {
    await proxy.shut();
    const { taskId } = await trial.reserve();
    const stop = start(() => Promise.resolve('done'));
    await pause(2_000);
    await proxy.open();
    await trial.until(taskId, isResult('later'));
    await stop();
    expect(calls).toEqual([`saga-code-evolution-${taskId}/call`]);
    expect(said('postgresql')).toEqual(['postgresql is away: waiting for it', 'postgresql is back']);
    expect(alarms()).toEqual([]);
  });

  it('keep the result of a call that ended meanwhile, however long it takes, and do not call again', async () => {
    const begun = withResolvers();
    const done = withResolvers();
    const stop = start(async () => {
      begun.resolve();
      await done.promise;
      return 'done';
    });
    const { taskId } = await trial.reserve();
    await begun.promise;
    await proxy.shut();
    done.resolve();
    // Longer than a worker may be silent.
    await pause(8_000);
    await proxy.open();
    await trial.until(taskId, isResult('later'));
    await stop();
    expect(calls).toHaveLength(1);
    for (const server of ['postgresql', 'event-log'])
      expect(said(server)).toEqual([`${server} is away: waiting for it`, `${server} is back`]);
    expect(alarms().filter((message) => message !== 'jobs whose end could not be noted go back to the queue')).toEqual(
      [],
    );
  });

  it('get over the loss of every connection, time after time', async () => {
    const stop = start(() => pause(100, 'done'));
    const tasks: string[] = [];
    for (let time = 0; time < 8; time++) {
      tasks.push((await trial.reserve()).taskId);
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name in ('sagas-under-test', 'workledger-event-log')
           and pid <> pg_backend_pid()`,
      );
      await pause(150);
    }
    for (const task of tasks) await trial.until(task, isResult('later'));
    await stop();
    for (const task of tasks) expect((await trial.history(task)).filter(isResult('call'))).toHaveLength(1);
  });

  it('stop, though what is in hand cannot be given back', async () => {
    const begun = withResolvers();
    const stop = start(hang(begun.resolve));
    const { taskId } = await trial.reserve();
    await begun.promise;
    await proxy.shut();
    await stop();
    await proxy.open();
    const stopAgain = start(() => Promise.resolve('done'));
    await trial.until(taskId, isResult('later'));
    await stopAgain();
    expect(calls).toHaveLength(2);
  });
});
