import { afterAll, beforeAll, expect, it } from 'vitest';
import { listComponentStates } from '@workledger/query-service/api/components.ts';
import { createSettle } from '@workledger/query-service/reading/consistency.ts';
import type { Seen } from '@workledger/sagas/components/state.ts';
import { recordSeen } from '@workledger/sagas/components/state-table.ts';
import { sagaMigrations } from '@workledger/sagas/engine/migrations.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import type { ComponentState } from '@workledger/shared/read-models/components.ts';
import { captureLog } from '../testing/events/captured-logger.ts';
import { problemCode, serve, type TestClient } from '../testing/servers/application.ts';
import { createTestDatabase, type TestDatabase } from '../testing/servers/database.ts';

let database: TestDatabase;
let client: TestClient;

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  const viewer = {
    keyId: newId(),
    role: 'viewer',
    agentId: null,
    repositories: null,
    teams: [],
    actor: 'key:x',
  } as const;
  client = await serve({
    routes: [listComponentStates({ pool }, createSettle({ pool }))],
    authenticate: async () => viewer,
    logger: captureLog().logger,
  });
});
afterAll(async () => {
  await client.stop();
  await database.drop();
});

const list = async (query = ''): Promise<{ items: ComponentState[]; next: string | null }> =>
  (await client.ask('GET', `/api/v1/components${query}`, { key: 'x' })).body as never;
const github = (state: Seen['state'], reason: string | null = null): Seen => ({
  name: 'github',
  kind: 'system',
  state,
  reason,
});
const work: Seen = { name: 'code.work', kind: 'component', state: 'healthy', reason: null };
const record = (seen: readonly Seen[], process: string) => recordSeen(database.pool, seen, process);

it('where no saga ever was there is nothing', async () => {
  expect(await list()).toEqual({ items: [], next: null });
});

it('each process tells how it sees things, since when, and when it looked last', async () => {
  await migrate(database.url, 'sagas', sagaMigrations);
  await record([github('healthy'), work], 'one:1');
  await record([github('unavailable', 'it rests')], 'two:1');
  const before = await list();
  expect(before.items).toMatchObject([
    { name: 'code.work', process: 'one:1', kind: 'component', state: 'healthy', reason: null, isStale: false },
    { name: 'github', process: 'one:1', kind: 'system', state: 'healthy', reason: null, isStale: false },
    { name: 'github', process: 'two:1', state: 'unavailable', reason: 'it rests', isStale: false },
  ]);
  await record([github('healthy'), work], 'one:1');
  await record([github('degraded', 'it is tried')], 'two:1');
  const after = await list();
  expect(after.items.map(({ since }) => since)).toEqual([
    ...before.items.slice(0, 2).map(({ since }) => since),
    after.items[2]!.seenAt,
  ]);
  expect(after.items[1]!.seenAt > before.items[1]!.seenAt).toBe(true);
});

it('what a process that is gone saw is told as such, and forgotten after an hour; what one sees no more at once', async () => {
  const age = (seconds: number) =>
    database.pool.query(
      `update sagas.components set seen_at = clock_timestamp() - make_interval(secs => $1) where process = 'two:1'`,
      [seconds],
    );
  await age(91);
  expect((await list()).items.map(({ process, isStale }) => [process, isStale])).toEqual([
    ...[1, 2].map(() => ['one:1', false]),
    ['two:1', true],
  ]);
  await age(3_601);
  await record([github('healthy')], 'one:1');
  expect((await list()).items.map(({ name, process }) => [name, process])).toEqual([['github', 'one:1']]);
});

it('is listed by state, in pages', async () => {
  await record([github('unavailable', 'it rests')], 'two:1');
  await record([github('unavailable', 'it rests')], 'three:1');
  const first = await list('?state=unavailable&limit=1');
  const second = await list(`?state=unavailable&limit=1&cursor=${first.next}`);
  expect([...first.items, ...second.items].map(({ process }) => process)).toEqual(['three:1', 'two:1']);
  expect(second.next).toBeNull();
  for (const query of ['?state=fine', '?limit=501', '?name=github'])
    expect((await client.ask('GET', `/api/v1/components${query}`, { key: 'x' })).status).toBe(400);
  expect(problemCode(await client.ask('GET', '/api/v1/components?cursor=x', { key: 'x' }))).toBe('unknown-cursor');
});
