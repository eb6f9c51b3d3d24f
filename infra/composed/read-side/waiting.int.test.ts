import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { waitingFor } from '@workledger/query-service/waiting/waiting-for.ts';
import { parseConfiguration } from '@workledger/shared/config/load.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { dayOf } from '@workledger/shared/read-models/costs.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/servers/database.ts';
import { plantTasks } from '../../testing/servers/planted-tasks.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
});
beforeEach(async () => {
  const tables = ['tasks_v1', 'dependencies_v1', 'agents_v1', 'costs_v1'].map((table) => `read_models.${table}`);
  await database.pool.query(`truncate ${tables.join(', ')}`);
});
afterAll(() => database.drop());

const query = (text: string, values: unknown[] = []): Promise<unknown> => database.pool.query(text, values);

type Task = {
  id: string;
  state: 'pending' | 'validation';
  subtasks: string[];
  capabilities: string[];
  repository: string | null;
};

async function task(more: Partial<Task & { title: string; priority: number; complete: boolean }> = {}): Promise<Task> {
  const { title = 'a task', priority = 3, complete = false } = more;
  const row: Task = {
    id: newId(),
    state: 'pending',
    subtasks: [],
    capabilities: ['code'],
    repository: 'shop',
    ...more,
  };
  await query(
    `insert into read_models.tasks_v1 (id, revision, state, title, description, priority, labels, metadata, capabilities,
       repository, subtasks, source_kind, attempts, sent_back, created_at, waiting_since, updated_at)
     values ($1, 0, $2, $3, '', $4, '{}', '{}', $5, $6, $7, 'api', 0, 0, now(), now(), now())`,
    [row.id, complete ? 'complete' : row.state, title, priority, row.capabilities, row.repository, row.subtasks],
  );
  return row;
}

type AgentFields = { runtime: string; capabilities: string[]; claims: number; connected: boolean };
const agent = ({
  runtime = 'command',
  capabilities = ['code'],
  claims = 0,
  connected = true,
}: Partial<AgentFields> = {}) =>
  query(
    `insert into read_models.agents_v1 (id, revision, name, kind, runtime, capabilities, capacity, status, claims, connected, enabled,
       registered, registered_at, updated_at)
     values ($1, 0, 'helper', 'worker', $2, $3, 1, 'idle', $4, $5, true, true, now(), now())`,
    [
      newId(),
      runtime,
      capabilities,
      JSON.stringify(Array(claims).fill({ claimId: newId(), taskId: newId() })),
      connected,
    ],
  );

const needs = (one: Task, other: Task): Promise<unknown> =>
  query(`insert into read_models.dependencies_v1 (id, task_id, depends_on, added_at) values ($1, $2, $3, now())`, [
    newId(),
    one.id,
    other.id,
  ]);

const configuration = parseConfiguration(
  JSON.stringify({
    budgets: { taskUsd: 1, dayUsd: 20 },
    repositories: [{ name: 'shop', url: '/tmp/shop', test: ['true'], budgets: { dayUsd: 5 } }],
  }),
  'test',
);
const why = async (one: Task, scope: readonly string[] | null = null): Promise<unknown> =>
  (await waitingFor({ pool: database.pool, ageingSeconds: 3_600, configuration }, [one], { count: true, scope })).get(
    one.id,
  );
const any = expect.any(String) as string;

describe('a task that waits says why', () => {
  it('that others come first, each with how it stands, and not those that are complete', async () => {
    await agent();
    const [one, first, done, elsewhere] = [
      await task(),
      await task({ title: 'The base' }),
      await task({ complete: true }),
      await task({ title: 'Of others', repository: 'secret' }),
    ];
    await needs(one, first);
    await needs(one, done);
    await needs(one, elsewhere);
    const open = { kind: 'dependency', taskId: first.id, title: 'The base', state: 'pending' };
    expect(await why(one)).toEqual([
      { ...open, text: '"The base" comes first, and is pending' },
      { kind: 'dependency', taskId: elsewhere.id, title: 'Of others', state: 'pending', text: any },
    ]);
    // Who is limited to one repository learns nothing of another's.
    expect(await why(one, ['shop'])).toMatchObject([open, { taskId: elsewhere.id, title: null, state: null }]);
  });

  it('that its subtasks do the work', async () => {
    const parts = [await task({ complete: true }), await task(), await task()];
    const whole = await task({ subtasks: parts.map(({ id }) => id) });
    const text = 'its work is done by 3 subtasks, of which 1 is complete';
    expect(await why(whole)).toEqual([{ kind: 'subtasks', subtasks: 3, complete: 1, text }]);
  });

  it('that nobody can do it: no agent, none of them, none all of it, none without a repository', async () => {
    const one = await task({ capabilities: ['code', 'paint'] });
    expect(await why(one)).toMatchObject([{ kind: 'capability', missing: ['code', 'paint'] }]);
    await agent();
    expect(await why(one)).toEqual([
      { kind: 'capability', missing: ['paint'], text: 'no registered agent can do: paint' },
    ]);
    await agent({ capabilities: ['paint'] });
    expect(await why(one)).toMatchObject([
      { kind: 'capability', missing: ['code', 'paint'], text: 'no single agent can do all of: code, paint' },
    ]);
    expect(await why(await task({ repository: null }))).toMatchObject([{ kind: 'capability', missing: [] }]);
  });

  it('that no agent that can do it is there', async () => {
    await agent({ connected: false });
    await agent({ capabilities: ['other'] });
    expect(await why(await task())).toMatchObject([{ kind: 'agents-away', agents: 1 }]);
  });

  it('that its agents have no room, and how many tasks are before it; or that its turn comes', async () => {
    await agent({ claims: 1 });
    await task({ priority: 1 });
    await task({ priority: 5 });
    await task({ priority: 1, capabilities: ['other'] });
    const blocked = await task({ priority: 1 });
    await needs(blocked, await task({ priority: 5 }));
    const one = await task({ priority: 2 });
    const text = '1 agent can do it, and has no room now; 1 task before it';
    expect(await why(one)).toEqual([{ kind: 'agents-busy', agents: 1, ahead: 1, text }]);
    await agent({ capabilities: ['code', 'other'] });
    expect(await why(one)).toMatchObject([{ kind: 'turn', agents: 1, ahead: 2 }]);
  });

  it('that its agent rests, where agents tell until when', async () => {
    await agent();
    await query(`update read_models.agents_v1 set resting_until = '2999-01-01', rest_reason = 'usage limit reached'`);
    const [reason] = (await why(await task())) as { kind: string; reason: string; until: string }[];
    expect(reason).toMatchObject({ kind: 'agent-resting', reason: 'usage limit reached' });
    expect(Date.parse(reason?.until ?? '')).toBe(Date.parse('2999-01-01T00:00:00Z'));
    await query('update read_models.agents_v1 set resting_until = null, rest_reason = null');
  });

  it('that its repository is not configured, that the day is spent, that it has spent its own budget', async () => {
    await agent();
    expect(await why(await task({ repository: 'gone' }))).toMatchObject([{ kind: 'repository', name: 'gone' }]);
    const one = await task();
    const spend = (taskId: string, repository: string, usd: number): Promise<unknown> =>
      query(
        `insert into read_models.costs_v1 values ($1, 'generation', $2, $1, $3, null, $4::double precision, '[]', $5, $4::double precision)`,
        [...[newId(), taskId, repository, usd, dayOf(new Date())]],
      );
    await spend(one.id, 'shop', 1.5);
    expect(await why(one)).toMatchObject([{ kind: 'budget', scope: 'task', spentUsd: 1.5, limitUsd: 1 }]);
    await spend(newId(), 'shop', 4);
    const other = await task();
    const day = { kind: 'budget', scope: 'day', repository: 'shop', spentUsd: 5.5, limitUsd: 5 };
    expect(await why(other)).toMatchObject([day]);
    await spend(newId(), 'gone', 16);
    expect(await why(other)).toMatchObject([{ scope: 'day', repository: null, spentUsd: 21.5, limitUsd: 20 }]);
    expect(await why(other, ['shop'])).toMatchObject([{ scope: 'day', repository: null, spentUsd: null }]);
  });

  it('its place in the merge queue, where there is one', async () => {
    const [first, second] = [await task({ state: 'validation' }), await task({ state: 'validation' })];
    expect(await why(second)).toBeUndefined();
    await query(
      `insert into read_models.merge_queues_v1 (id, task_id, queue_id, state, queued_at, revision, repository)
       select *, 0, 'shop' from (values ('0', 'gone', 'q', 'merged', now() - interval '1 h'), ('1', $1, 'q', 'turn', now()),
         ('2', $2, 'q', 'waiting', now() + interval '1 s'), ('3', 'other', 'other', 'turn', now())) as place`,
      [first.id, second.id],
    );
    expect(await why(first)).toMatchObject([{ kind: 'merge-queue', position: 1, behind: null }]);
    expect(await why(second)).toMatchObject([{ kind: 'merge-queue', position: 2, behind: first.id }]);
    await query('delete from read_models.merge_queues_v1');
  });
});

describe('with 100,000 tasks that wait', () => {
  /** Rows of tables and index entries that PostgreSQL read, as it counts them itself. */
  async function readBy(act: () => Promise<unknown>): Promise<number> {
    const client = await database.pool.connect();
    const count = async (): Promise<number> => {
      const { rows } = await client.query<{ read: string }>(
        `select sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid)) as read
         from pg_class where relnamespace = 'read_models'::regnamespace`,
      );
      return Number(rows[0]?.read);
    };
    try {
      await client.query('begin');
      const pool = database.pool as unknown as { query: unknown };
      const own = pool.query;
      let last: Promise<unknown> = Promise.resolve();
      pool.query = (statement: string) => (last = last.then(() => client.query(statement)));
      const before = await count();
      try {
        await act();
        return (await count()) - before;
      } finally {
        pool.query = own;
        await client.query('rollback');
      }
    } finally {
      client.release();
    }
  }

  it('the last one says that a thousand or more are before it, by reading a few thousand rows', async () => {
    await plantTasks(database.pool, { waiting: 100_000, capabilities: ['code', 'rust', 'sql'] });
    await agent({ claims: 1 });
    const last = await task({ priority: 5 });
    let reasons: unknown;
    const read = await readBy(async () => (reasons = await why(last)));
    expect(reasons).toMatchObject([
      { kind: 'agents-busy', ahead: 1_000, text: expect.stringContaining('1000 or more tasks') as string },
    ]);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(6_000);
  });
});
