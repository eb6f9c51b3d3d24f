import { afterAll, beforeAll, expect, it } from 'vitest';
import { redriveRoute } from '@workledger/command-service/api/parked-route.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { listAllParked } from '@workledger/query-service/api/parked.ts';
import { createSettle } from '@workledger/query-service/reading/consistency.ts';
import { sagaMigrations } from '@workledger/sagas/engine/migrations.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { captureLog } from '../testing/events/captured-logger.ts';
import { problemCode, serve, type TestClient, type Told } from '../testing/servers/application.ts';
import { createTestDatabase, type TestDatabase } from '../testing/servers/database.ts';

let database: TestDatabase;
let client: TestClient;
const actor = `key:${newId()}`;
const saga = `saga-task-assignment-${newId()}`;

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  const { logger } = captureLog();
  client = await serve({
    routes: [listAllParked({ pool }, createSettle({ pool })), redriveRoute({ pool, logger })],
    authenticate: async () => ({
      keyId: newId(),
      role: 'operator',
      agentId: null,
      repositories: null,
      teams: [],
      actor,
    }),
    logger,
  });
});
afterAll(async () => {
  await client.stop();
  await database.drop();
});

const list = async (query = ''): Promise<{ items: Record<string, unknown>[]; next: string | null }> =>
  (await client.ask('GET', `/api/v1/parked${query}`, { key: 'x' })).body as never;
const redrive = (json: object): Promise<Told> => client.ask('POST', '/api/v1/parked/redrive', { key: 'x', json });
const asked = async (schema: string): Promise<unknown[]> =>
  (await database.pool.query(`select name, stream, key, requested_by as by from ${schema}.redrives`)).rows;

it('where nothing was ever made there is nothing', async () => {
  expect(await list()).toEqual({ items: [], next: null });
  expect((await redrive({ kind: 'saga', name: 'task-assignment', stream: saga })).status).toBe(404);
});

it('where there are read models only the list is of them', async () => {
  await migrateReadModels(database.url);
  await database.pool.query(`
    insert into read_models.progress (projection, version, topic, partition, next_offset) values ('tasks', 2, 'task', 0, 0);
    insert into read_models.streams (projection, version, stream, revision, parked_at, reason, parked_revision, parked_event_id)
    select 'tasks', 1 + n % 2, 'task-' || lpad(n::text, 4, '0'), 3, now(), 'why', 4, '${newId()}' from generate_series(1, 240) n`);
  const { items, next } = await list();
  expect(items).toHaveLength(50);
  expect(next).not.toBeNull();
  expect(items[0]).toMatchObject({
    kind: 'read-model',
    name: 'tasks',
    stream: 'task-0001',
    revision: 4,
    waiting: null,
  });
});

it('all that stands still is listed by bounded pages, each once', async () => {
  await migrate(database.url, 'sagas', sagaMigrations);
  await database.pool.query(`
    insert into sagas.parked (stream, key, reason) values ('${saga}', '', 'cannot fold'), ('${saga}', 'call/1', 'given up');
    insert into sagas.waiting_inputs (stream, source_stream, source_revision) select '${saga}', 'task-x', n from generate_series(1, 3) n`);
  const seen: Record<string, unknown>[] = [];
  let pages = 0;
  for (let query = '?limit=25'; query !== ''; pages++) {
    const { items, next } = await list(query);
    expect(items.length).toBeLessThanOrEqual(25);
    seen.push(...items);
    query = next === null ? '' : `?limit=25&cursor=${next}`;
  }
  // Of the version that follows: half of them.
  expect([seen.length, new Set(seen.map((item) => JSON.stringify(item))).size, pages]).toEqual([122, 122, 5]);
  const ofSaga = seen.filter(({ stream }) => stream === saga);
  expect(ofSaga).toMatchObject([
    { kind: 'effect', name: 'task-assignment', key: 'call/1', reason: 'given up', waiting: null },
    { kind: 'saga', name: 'task-assignment', key: '', reason: 'cannot fold', waiting: 3 },
  ]);
  expect((await client.ask('GET', '/api/v1/parked?limit=101', { key: 'x' })).status).toBe(400);
});

it('a redrive is noted once where whoever parked it looks, under the name of who asks', async () => {
  const model = { kind: 'read-model', name: 'tasks', stream: 'task-0001' };
  const effect = { kind: 'effect', name: 'task-assignment', stream: saga, key: 'call/1' };
  for (const place of [model, model, effect, { ...effect, kind: 'saga', key: '' }])
    expect((await redrive(place)).status).toBe(202);
  expect(await asked('read_models')).toEqual([{ name: 'tasks', stream: 'task-0001', key: '', by: actor }]);
  expect(await asked('sagas')).toEqual([
    { name: 'task-assignment', stream: saga, key: 'call/1', by: actor },
    { name: 'task-assignment', stream: saga, key: '', by: actor },
  ]);
});

it.each([
  ['what is not parked', 404, 'not-found', { kind: 'read-model', name: 'tasks', stream: 'task-0002' }],
  ['an effect without its key', 400, 'invalid-request', { kind: 'effect', name: 'task-assignment', stream: saga }],
  ['an unknown field', 400, 'invalid-request', { kind: 'saga', name: 'x', stream: 'x', when: 'now' }],
])('%s is refused', async (_, status, code, place) => {
  const told = await redrive(place);
  expect([told.status, problemCode(told)]).toEqual([status, code]);
});
