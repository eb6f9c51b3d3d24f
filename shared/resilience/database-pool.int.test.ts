import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import { toProblem } from '../http/problem.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { createDatabasePool } from './database-pool.ts';

/** Another's habits, all of which break what this program takes for granted. */
const HABITS = {
  lock_timeout: "'1ms'",
  statement_timeout: "'1ms'",
  idle_session_timeout: "'1ms'",
  default_transaction_isolation: "'serializable'",
  default_transaction_read_only: 'on',
  synchronous_commit: 'off',
  search_path: 'nowhere',
  DateStyle: "'German, DMY'",
  IntervalStyle: "'sql_standard'",
  TimeZone: "'Asia/Kathmandu'",
  bytea_output: "'escape'",
  extra_float_digits: '-3',
  standard_conforming_strings: 'off',
};

let database: TestDatabase;
let role: string;
let url: string;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  role = `habits_${randomBytes(6).toString('hex')}`;
  await database.pool.query(`create role ${role} superuser login password 'habits'`);
  for (const [name, value] of Object.entries(HABITS))
    await database.pool.query(`alter role ${role} set ${name} = ${value}`);
  url = Object.assign(new URL(database.url), { username: role, password: 'habits' }).toString();
  pool = createDatabasePool({ connectionString: url, max: 2, applicationName: 'test', queryTimeout: 2_000 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const settingsOf = async (asked: Pool): Promise<Record<string, string>> => {
  const sql = 'select name, setting from pg_settings where lower(name) = any ($1)';
  const { rows } = await asked.query<{ name: string; setting: string }>(sql, [
    [...Object.keys(HABITS), 'idle_in_transaction_session_timeout'].map((name) => name.toLowerCase()),
  ]);
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
};

describe('what is set for a role changes nothing', () => {
  it('of what a connection relies on', async () => {
    expect(await settingsOf(pool)).toEqual({
      ...{ lock_timeout: '0', statement_timeout: '1800', idle_session_timeout: '0' },
      ...{ idle_in_transaction_session_timeout: '60000', search_path: 'public' },
      ...{ default_transaction_isolation: 'read committed', default_transaction_read_only: 'off' },
      ...{ synchronous_commit: 'on', DateStyle: 'ISO, MDY', IntervalStyle: 'postgres', TimeZone: 'UTC' },
      ...{ bytea_output: 'hex', extra_float_digits: '1', standard_conforming_strings: 'on' },
    });
    const { rows } = await pool.query(
      "select timestamptz '2026-02-03T04:05:06.789Z' as at, 0.1::float8 + 0.2 as sum, '\\x0061'::bytea as bytes",
    );
    expect(rows).toEqual([
      { at: new Date('2026-02-03T04:05:06.789Z'), sum: 0.1 + 0.2, bytes: Buffer.from('0061', 'hex') },
    ]);
  });

  it('of an event log: an append waits for a lock, and is durable', async () => {
    const log = await createPostgresEventLog({ connectionString: url });
    const stream = 'task-0190a000-0000-7000-8000-0000000000a1';
    const event = {
      id: '0190a000-0000-7000-8000-0000000000e1',
      type: 'TaskRetried',
      version: 1,
      data: { reason: 'x' },
      metadata: {
        correlationId: 'c',
        causationId: null,
        commandId: 'd',
        commandHash: '0'.repeat(64),
        actor: 'system',
        traceparent: null,
      },
    };
    const holder = await database.pool.connect();
    await holder.query('begin; lock table event_log.events in access exclusive mode');
    const appended = log.append(stream, [event], 'none');
    await expect.poll(waitingForLocks).toBe(1);
    await holder.query('commit');
    holder.release();
    expect(await appended).toMatchObject({ revision: 0 });
    await log.close();
  });
});

const waitingForLocks = async (): Promise<number> => {
  const sql = 'select from pg_stat_activity where usename = $1 and wait_event_type = $2';
  return (await database.pool.query(sql, [role, 'Lock'])).rowCount ?? 0;
};

it('options in the URL come before ours, and do not replace them', async () => {
  const own = new URL(url);
  own.searchParams.set('options', '-c work_mem=5MB -c lock_timeout=7');
  const asked = createDatabasePool({
    connectionString: own.toString(),
    max: 1,
    applicationName: 'test',
    queryTimeout: null,
  });
  expect(await settingsOf(asked)).toMatchObject({ lock_timeout: '0', statement_timeout: '0' });
  expect((await asked.query('show work_mem')).rows).toEqual([{ work_mem: '5MB' }]);
  await asked.end();
});

it('a statement that takes too long is ended by the server, and its caller hears when to ask again', async () => {
  const short = createDatabasePool({ connectionString: url, max: 1, applicationName: 'test', queryTimeout: 400 });
  const late = await short.query('select pg_sleep(20)').catch((error: unknown) => error);
  expect(late).toMatchObject({ code: '57014' });
  expect(toProblem(late)).toMatchObject({ status: 503, code: 'unavailable', headers: { 'Retry-After': '1' } });
  await short.end();
});

it('opens a few connections for many who ask at once, one more while somebody waits, and never more than its size', async () => {
  const growing = createDatabasePool({ connectionString: url, max: 6, applicationName: 'test' });
  const asked = Promise.all(Array.from({ length: 20 }, () => growing.query('select 1')));
  expect(growing.totalCount).toBe(4);
  expect(await asked).toHaveLength(20);

  const held = await Promise.all(Array.from({ length: 6 }, () => growing.connect()));
  expect(growing.totalCount).toBe(6);
  const late = growing.connect();
  expect([growing.totalCount, growing.waitingCount]).toEqual([6, 1]);
  // Who is lost makes room.
  held.pop()?.release(true);
  held.push(await late);
  expect(growing.totalCount).toBe(6);

  // So does who was taken while another waited in the same moment.
  for (const client of held.splice(3)) client.release(true);
  await expect.poll(() => growing.totalCount).toBe(3);
  held.push(await growing.connect());
  held.pop()?.release();
  held.push(...(await Promise.all([growing.connect(), growing.connect(), growing.connect()])));
  expect(growing.totalCount).toBe(6);

  for (const client of held) client.release(true);
  await expect.poll(() => growing.options.max).toBe(4);
  // Where one is idle the others wait, too, before the pool is as large as it was.
  await growing.query('select 1');
  expect([growing.totalCount, growing.idleCount]).toEqual([1, 1]);
  const all = await Promise.all(Array.from({ length: 6 }, () => growing.connect()));
  for (const client of all) client.release(true);
  await expect.poll(() => growing.options.max).toBe(4);

  const again = Promise.all(Array.from({ length: 20 }, () => growing.query('select 1')));
  expect(growing.totalCount).toBe(4);
  await again;
  await growing.end();
});
