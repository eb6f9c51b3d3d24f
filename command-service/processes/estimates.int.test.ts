import type { Complexity } from '@workledger/shared/contexts/task/task/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEstimates } from './estimates.ts';
import { createCommandHandlers, type CommandHandlers } from './handlers.ts';
import { ask, eventsOf, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
let commands: CommandHandlers;
let now = Date.now();
beforeAll(async () => {
  side = await startWriteSide();
  await side.database.pool.query(`
    create schema read_models;
    create table read_models.evolutions (task_id text, generations jsonb, best jsonb);
    create table read_models.tasks (
      id text default gen_random_uuid(), title text, description text default '', labels text[] default '{}', state text default 'complete', sent_back integer default 0,
      result jsonb, failure jsonb, repository text default 'sample', subtasks text[] default '{}', finished_at timestamptz default now())`);
  commands = await createCommandHandlers({
    log: side.log,
    pool: side.database.pool,
    configuration: {
      repositories: ['sample', 'other', 'evolved'].map((name) => ({ name })),
      leaseSeconds: 60,
      heartbeatSeconds: 30,
    },
    nextTasks: async () => [],
    estimates: createEstimates(side.database.pool, () => now),
  });
});
afterAll(() => side.close());

async function complexityOf(taskId: string): Promise<Complexity | null> {
  const events = await eventsOf(side.log, streamName('task', taskId));
  return events.reduce<Complexity | null>((before, { data }) => {
    const { complexity = before } = data as { complexity?: Complexity | null };
    return complexity;
  }, null);
}

async function create(data: object, context: object = {}): Promise<string> {
  const { id } = await ask(
    { commands },
    'task.create',
    newId(),
    { title: 'x', repository: 'sample', ...data },
    context,
  );
  return id;
}

const finished = (title: string, repository: string, lines: number) =>
  side.database.pool.query(`insert into read_models.tasks (title, repository, result) values ($1, $2, $3)`, [
    ...[title, repository],
    { diffStat: { files: Math.ceil(lines / 50), insertions: lines, deletions: 0 } },
  ]);

describe('a task whose complexity nobody says', () => {
  it('is estimated as it comes in, with the reason', async () => {
    const complexity = await complexityOf(await create({ title: 'Fix a typo' }));
    expect(complexity).toMatchObject({ level: 'low', estimated: true });
    expect(complexity?.reason).toMatch(/^low, \d+ of 100: words of small work \(−14\).*; nothing was learned yet$/);
  });

  it('is estimated by what became of its like, of its repository and of no other', async () => {
    for (let at = 0; at < 20; at++) {
      await finished(`Change the ledger of ${at}`, 'sample', 1_500);
      await finished(`Change the ledger of ${at}`, 'other', 2);
    }
    now += 3_600_000;
    // What was known goes on while it is asked again.
    await create({});
    await expect
      .poll(async () => (await complexityOf(await create({ title: 'Change the ledger' })))?.score)
      .toBeGreaterThan(60);
    const other = await complexityOf(await create({ title: 'Change the ledger', repository: 'other' }));
    expect(other).toMatchObject({ level: 'low' });
    expect(other?.reason).toMatch(/20 finished tasks are like it, first "Change the ledger of \d+"/);
  });

  it('and by what evolution tried of its like', async () => {
    const repository = 'evolved';
    const scoreNow = async () => (await complexityOf(await create({ title: 'Change the ledger', repository })))!.score;
    const before = await scoreNow();
    for (let at = 0; at < 20; at++) await finished(`Change the ledger of ${at}`, repository, 2);
    const learn = async () => {
      now += 3_600_000;
      await create({ repository });
    };
    await learn();
    await expect.poll(scoreNow).toBeLessThan(before);
    const smooth = await scoreNow();
    await side.database.pool.query(
      `insert into read_models.evolutions select id, $1, null from read_models.tasks where repository = $2`,
      [
        JSON.stringify([
          { candidates: [{ state: 'failed' }, { state: 'running' }] },
          { candidates: [{ state: 'failed' }] },
        ]),
        repository,
      ],
    );
    await learn();
    await expect.poll(scoreNow).toBeGreaterThan(smooth);
  });

  it('and which is expanded, has parts that are estimated, too', async () => {
    const task = await create({});
    const subtasks = [{ title: 'Fix a typo' }, { title: 'y', complexity: { level: 'high', score: 90, reason: 'z' } }];
    const { details } = await ask({ commands }, 'task.expand', task, { subtasks });
    const [first, second] = (details as { subtasks: [string, string] }).subtasks;
    expect(await complexityOf(first)).toMatchObject({ estimated: true });
    expect(await complexityOf(second)).toEqual({ level: 'high', score: 90, reason: 'z' });
  });

  it('is estimated again when its words change, and not when its priority does', async () => {
    const task = await create({ title: 'Fix a typo' });
    const before = await complexityOf(task);
    await ask({ commands }, 'task.change', task, { priority: 1 });
    expect(await complexityOf(task)).toEqual(before);
    await ask({ commands }, 'task.change', task, { labels: ['epic'] });
    const after = await complexityOf(task);
    expect(after).toMatchObject({ estimated: true });
    expect(after!.score).toBeGreaterThan(before!.score + 30);
  });
});

describe('what a person says of its complexity', () => {
  const said = { level: 'low', score: 5, reason: 'I know it' };
  it('stands, also when its words change', async () => {
    const task = await create({ title: 'Rewrite all of it', complexity: said });
    expect(await complexityOf(task)).toEqual(said);
    await ask({ commands }, 'task.change', task, { labels: ['epic'] });
    expect(await complexityOf(task)).toEqual(said);
  });

  it('comes before an estimate', async () => {
    const task = await create({ title: 'Rewrite all of it' });
    await ask({ commands }, 'task.change', task, { complexity: said, labels: ['epic'] });
    expect(await complexityOf(task)).toEqual(said);
  });

  it('is no estimate of ours', async () => {
    await expect(create({ complexity: { ...said, estimated: true } })).rejects.toThrow(/estimated: unknown field/);
  });
});

it('a task that is created again under the same key answers the same, whatever was learned between', async () => {
  const [id, context] = [newId(), { actor: 'key:1', correlationId: newId(), commandId: newId() }];
  const command = { type: 'task.create', target: id, data: { title: 'Change the ledger', repository: 'sample' } };
  const first = await commands.send(command, context);
  await finished('Change the ledger of all', 'sample', 1);
  now += 3_600_000;
  expect(await commands.send(command, context)).toEqual(first);
});

it('while the read models are away the words alone decide', async () => {
  await side.database.pool.query('alter table read_models.tasks rename to hidden');
  const estimates = createEstimates(side.database.pool);
  const asked = { title: 'Change the ledger', description: '', labels: [], repository: 'sample' };
  expect((await estimates.of(asked))?.reason).toMatch(/nothing was learned yet$/);
});
