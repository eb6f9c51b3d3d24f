import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { modelSchema } from '@workledger/shared/config/models.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { startScriptedModel } from '@workledger/infra/testing/models/scripted-model.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { sagaMigrations } from '../../engine/migrations.ts';
import { createAnswers, type AnswerKey } from './answers.ts';
import { createBatchStore, type Batch } from './batches.ts';
import { createModels } from './models.ts';
import { openModels, saidIn } from './providers.ts';

let database: TestDatabase;
let model: Awaited<ReturnType<typeof startScriptedModel>>;
let say: (number: number) => string | Promise<string>;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  model = await startScriptedModel(async (_, number) => ({ text: await say(number) }));
});
afterAll(async () => {
  await model?.stop();
  await database?.drop();
});

let run = '';
beforeEach(() => void (run = newId()));
const keyOf = (name: string): AnswerKey => ({ scope: `${run}/${name}`, digest: name, number: 0 });
const batchOf = (contents: Readonly<Record<string, string>>): Batch => ({
  id: newId(),
  members: Object.entries(contents).map(([name, content]) => ({ key: keyOf(name), content })),
  request: { temperature: 0.1, messages: [{ role: 'user', content: Object.values(contents).join('\n') }] },
});

it('finds a batch by each request that was put into it, letter by letter, and by no other', async () => {
  const store = createBatchStore(database.pool);
  const batch = batchOf({ a: 'U+0000: \0, and "\\u0000-\\"', b: 'half a pair: \ud83d', c: 'Grüße 🙂' });
  await store.keep(batch);
  for (const { key } of batch.members) expect(await store.find(key)).toEqual(batch);
  for (const change of [{ scope: 'another' }, { digest: 'another' }, { number: 1 }])
    expect(await store.find({ ...keyOf('a'), ...change })).toBeNull();
});

it('leaves a request in the batch that it was put into first', async () => {
  const store = createBatchStore(database.pool);
  const [first, second] = [batchOf({ a: 'one', b: 'two' }), batchOf({ b: 'two', c: 'three' })];
  await store.keep(first);
  await store.keep(second);
  expect((await store.find(keyOf('b')))?.id).toBe(first.id);
  expect((await store.find(keyOf('c')))?.id).toBe(second.id);
});

it('forgets batches whose answers are kept no longer', async () => {
  const store = createBatchStore(database.pool);
  const old = batchOf({ a: 'one' });
  await store.keep(old);
  await database.pool.query(`update sagas.model_batches set made_at = now() - interval '31 days' where id = $1`, [
    old.id,
  ]);
  await store.keep(batchOf({ b: 'two' }));
  expect(await store.find(keyOf('a'))).toBeNull();
});

/** The models of a Workledger that was started just now: it remembers nothing but what is in the database. */
async function start() {
  const configured = { name: 'fast', url: model.url, model: 'x', inputUsd: 10, outputUsd: 100 };
  const batch = { most: 2, waitMilliseconds: 5_000 };
  const providers = await openModels(
    {
      models: [modelSchema.parse({ ...configured, batch })],
      outbound: { allowHosts: [], privateHosts: [model.host] },
    },
    '/',
  );
  const models = createModels(providers, createAnswers(database.pool), {
    logger: { warn: () => undefined },
    batchStore: createBatchStore(database.pool),
  });
  const ask = async (name: string): Promise<string> => {
    const messages = [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: `${run} ${name}` },
    ];
    const of = { model: 'fast', request: { messages }, scope: `${run}/${name}`, number: 0, paidFor: name };
    const { signal } = new AbortController();
    return saidIn(await models.chat({ ...of, budgetUsd: null, together: 'sample', signal })).text;
  };
  return { ask, costOf: async (name: string) => (await models.spent(`${run}/${name}`)).costUsd };
}
const both = (number: number): string => `=== ANSWER 1\nfirst of ${number}\n=== ANSWER 2\nsecond of ${number}`;

it('is paid once: a Workledger that comes after finds the parts of its answer', async () => {
  say = both;
  const before = await start();
  const said = await Promise.all([before.ask('a'), before.ask('b')]);
  const paid = model.asked.length;
  const after = await start();
  expect([await after.ask('b'), await after.ask('a')]).toEqual(said.toReversed());
  expect(model.asked).toHaveLength(paid);
  expect((await after.costOf('a')) + (await after.costOf('b'))).toBeCloseTo(0.02);
});

it('is asked again under the same name by who comes after a kill, and then told to all of it', async () => {
  const began = model.asked.length;
  let hold = true;
  say = (number) => (hold ? new Promise<string>(() => undefined) : both(number));
  const killed = await start();
  void killed.ask('a').catch(() => undefined);
  void killed.ask('b').catch(() => undefined);
  await expect.poll(() => model.asked.length).toBe(began + 1);
  hold = false;
  const after = await start();
  const said = [await after.ask('b'), await after.ask('a')];
  expect(said.map((text) => text.split(' ')[0])).toEqual(expect.arrayContaining(['first', 'second']));
  expect(model.asked).toHaveLength(began + 2);
  const [first, second] = model.asked.slice(began);
  expect(first?.key).toBe(second?.key);
  expect(first?.body).toEqual(second?.body);
});

it('is charged to whom it was asked for, where nothing of its answer can be used, and once', async () => {
  const first = model.asked.length + 1;
  say = (number) => (number === first ? 'no form at all' : `alone ${number}`);
  const before = await start();
  const said = await Promise.all([before.ask('a'), before.ask('b')]);
  expect(said).toEqual([expect.stringMatching(/^alone/), expect.stringMatching(/^alone/)]);
  expect(model.asked).toHaveLength(first + 2);
  const cost = async (of: typeof before): Promise<number> => (await of.costOf('a')) + (await of.costOf('b'));
  expect(await cost(before)).toBeCloseTo(0.06);
  const after = await start();
  expect(await Promise.all([after.ask('a'), after.ask('b')])).toEqual(said);
  expect(await cost(after)).toBeCloseTo(0.06);
});
