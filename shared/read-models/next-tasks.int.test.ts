import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { newId } from '../contexts/stream.ts';
import { nextTasks } from './next-tasks.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`
    create schema read_models;
    create table read_models.tasks (
      id text, title text, priority integer, state text, repository text,
      subtasks text[] default '{}', capabilities text[] default '{}',
      waiting_since timestamptz default now(), created_at timestamptz default now());
    create table read_models.dependencies (task_id text, depends_on text)`);
});
afterAll(() => database.drop());

it('tasks without a repository are left out when only those of a repository are wanted', async () => {
  const [of, without] = [newId(), newId()];
  await database.pool.query(
    `insert into read_models.tasks (id, title, priority, state, repository)
     values ($1, 'of', 1, 'pending', 'sample'), ($2, 'without', 2, 'pending', null)`,
    [of, without],
  );
  const ids = async (withRepository?: boolean) => {
    const options = { ageingSeconds: 3_600, limit: 10, ...(withRepository === undefined ? {} : { withRepository }) };
    return (await nextTasks(database.pool, options)).map(({ taskId }) => taskId);
  };
  expect(await ids(true)).toEqual([of]);
  expect(await ids(false)).toEqual([of, without]);
  expect(await ids()).toEqual([of, without]);
});

it('tasks of a repository that is not registered any more wait', async () => {
  const [gone, registered, none] = [newId(), newId(), newId()];
  await database.pool.query('truncate read_models.tasks');
  await database.pool.query(
    `insert into read_models.tasks (id, title, priority, state, repository)
     values ($1, 'gone', 1, 'pending', 'gone'), ($2, 'registered', 2, 'pending', 'sample'), ($3, 'none', 3, 'pending', null)`,
    [gone, registered, none],
  );
  const options = { ageingSeconds: 3_600, limit: 10, registered: ['sample', 'other'] };
  expect((await nextTasks(database.pool, options)).map(({ taskId }) => taskId)).toEqual([registered, none]);
});
