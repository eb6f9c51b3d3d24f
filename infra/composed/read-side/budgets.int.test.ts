import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { createCommandHandlers, type CommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import { createSpending } from '@workledger/command-service/processes/spending.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { parseConfiguration } from '@workledger/shared/config/load.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { dayOf } from '@workledger/shared/read-models/costs.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/servers/database.ts';

const repository = (name: string, budgets = {}) => ({ name, url: `/tmp/${name}`, test: ['true'], budgets });
const configuration = parseConfiguration(
  JSON.stringify({
    budgets: { taskUsd: 3, dayUsd: 10 },
    repositories: [repository('dear', { dayUsd: 2, taskUsd: 1 }), repository('cheap')],
  }),
  'test',
);

let database: TestDatabase;
let log: EventLog;
let commands: CommandHandlers;
let hints: { taskId: string; repository: string }[] = [];
let now = Date.now();

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'command_service', commandServiceMigrations);
  await migrateReadModels(database.url);
  log = await createPostgresEventLog({ connectionString: database.url });
  commands = await createCommandHandlers({
    log,
    pool: database.pool,
    configuration,
    spending: createSpending(database.pool, configuration, () => now),
    nextTasks: ({ repositories, without }) =>
      Promise.resolve(
        hints
          .filter((hint) => repositories?.includes(hint.repository) ?? true)
          .filter(({ taskId }) => !without.includes(taskId))
          .map(({ taskId }) => ({ taskId, urgency: 3 })),
      ),
  });
});
beforeEach(async () => {
  await database.pool.query('truncate read_models.costs_v1');
  hints = [];
  now = Date.now();
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

const send = (type: string, target: string, data: object): Promise<CommandAnswer> =>
  commands.send({ type, target, data }, { actor: 'system', correlationId: newId() });

async function agent(runtime: 'command' | 'remote'): Promise<string> {
  const id = newId();
  await send('agent.register', id, { name: id, kind: 'worker', runtime, capabilities: ['code'], capacity: 9 });
  return id;
}

async function task(name: string): Promise<string> {
  const { id } = await send('task.create', newId(), { title: 'a task', repository: name, capabilities: ['code'] });
  hints.push({ taskId: id, repository: name });
  return id;
}

/** As the read model has it. */
const spend = (repositoryName: string, usd: number, taskId = newId(), day = dayOf(new Date(now))): Promise<unknown> =>
  database.pool.query(
    `insert into read_models.costs_v1 values ($1, 'generation', $2, $1, $3, null, $4::double precision, '[]', $5, $4::double precision)`,
    [newId(), taskId, repositoryName, usd, day],
  );

const claimNext = async (agentId: string): Promise<unknown> =>
  (await send('agent.claim-next', agentId, {})).details['taskId'];

it('a repository whose day is spent is passed by, and goes on by itself on the next', async () => {
  const [runner, dear, cheap] = [await agent('command'), await task('dear'), await task('cheap')];
  await spend('dear', 2);
  expect(await claimNext(runner)).toBe(cheap);
  expect(await claimNext(runner)).toBeUndefined();
  now += 24 * 3_600_000;
  expect(await claimNext(runner)).toBe(dear);
});

it('the budget of all repositories stops every agent that Workledger starts, and no remote one', async () => {
  const [runner, remote, dear] = [await agent('command'), await agent('remote'), await task('dear')];
  await spend('cheap', 10.5);
  expect(await claimNext(runner)).toBeUndefined();
  await expect(send('task.claim', dear, { agentId: runner })).rejects.toMatchObject({
    code: 'blocked',
    message: "the day's budget of $10.00 is spent: $10.50",
    facts: { budget: { repository: null, spentUsd: 10.5, limitUsd: 10 } },
  });
  expect(await claimNext(remote)).toBe(dear);
});

it('a claim tells its run what the task may cost, and what it did in all runs before', async () => {
  const runner = await agent('command');
  const claimed = async (name: string): Promise<unknown> => {
    const id = await task(name);
    await spend(name, 0.25, id, '2026-01-01');
    await spend(name, 0.5, id, '2026-01-02');
    await send('task.claim', id, { agentId: runner });
    for await (const { type, data } of log.readStream(streamName('task', id)))
      if (type === 'TaskClaimed') return (data as { budget?: unknown }).budget;
    return null;
  };
  expect(await claimed('dear')).toEqual({ limitUsd: 1, spentUsd: 0.75 });
  expect(await claimed('cheap')).toEqual({ limitUsd: 3, spentUsd: 0.75 });
});
