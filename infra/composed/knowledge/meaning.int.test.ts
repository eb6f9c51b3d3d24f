import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { embedEntries } from '@workledger/projections/knowledge/embed-entries.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import { HOW_TO_GET_IT, MINILM, startMiniLm, type Endpoint } from '../../testing/embeddings/minilm.ts';
import { until } from '../../testing/processes/until.ts';
import { person, startHouse, type House } from './testing.ts';

const ada = person('agent');
const entries = [
  ['The kettle', 'Boil water before you pour it over the leaves.'],
  ['Rollback', 'If the release misbehaves in production, deploy the previous artefact again.'],
  ['Connection pool', 'PostgreSQL forks a process for each session, so keep the number of sessions small.'],
  ['Flaky checks', 'A check that sometimes fails for no reason is quarantined and mended within a week.'],
  ['Leave', 'Ask for holidays two weeks in advance.'],
  ['Passwords', 'Credentials belong into the vault, never into the repository.'],
] as const;

describe('with a real small model', () => {
  let model: Endpoint | null = null;
  let house: House | undefined;
  beforeAll(async () => {
    model = await startMiniLm();
    if (model === null) return;
    house = await startHouse({ url: model.url, ...MINILM });
    for (const [title, content] of entries) await house.write(ada, { title, content });
    await house.untilEmbedded();
  }, 240_000);
  afterAll(async () => {
    await house?.close();
    await model?.stop();
  });
  beforeEach((context) => {
    if (house === undefined) context.skip(HOW_TO_GET_IT);
  });

  it.each([
    ['how do I make tea', 'The kettle'],
    ['undo a bad deployment', 'Rollback'],
    ['too many database clients', 'Connection pool'],
    ['unstable unit tests', 'Flaky checks'],
    ['taking vacation', 'Leave'],
    ['where do secrets go', 'Passwords'],
  ])('finds what is meant, without a word in common: %s', async (question, title) => {
    const { ranking, items } = await house!.search(ada, `q=${encodeURIComponent(question)}`);
    expect(ranking).toBe('words and meaning');
    expect(items[0]?.title).toBe(title);
  });

  it('tells what is like an entry', async () => {
    const id = await house!.write(ada, { title: 'Tea', content: 'How to make a cup of tea: hot water, then leaves.' });
    await house!.untilEmbedded();
    const { items } = (await house!.ask(ada, 'GET', `/knowledge/${id}/related`)).body as {
      items: { title: string; relation: string; similarity: number }[];
    };
    expect(items[0]).toMatchObject({ title: 'The kettle', relation: 'similar' });
    expect(items[0]!.similarity).toBeGreaterThan(0.4);
  });

  it('means what an entry says now, after it was revised', async () => {
    const id = await house!.write(ada, { title: 'Note', content: 'The cat sleeps on the sofa.' });
    await house!.untilEmbedded();
    expect((await house!.titles(ada, 'q=feline%20pet'))[0]).toBe('Note');
    await house!.ask(ada, 'PATCH', `/knowledge/${id}`, { content: 'Compile the kernel with debug symbols.' });
    await house!.untilEmbedded();
    expect((await house!.titles(ada, 'q=building%20an%20operating%20system'))[0]).toBe('Note');
  });

  it('computes all anew for another model, and loses nothing between', async () => {
    const { pool } = house!;
    const { embeddings: configured } = configurationSchema.parse({
      embeddings: { url: model!.url, ...MINILM, model: 'other' },
    });
    const other = (await openEmbeddings(configured, '.'))!;
    const stopping = new AbortController();
    const count = async (name: string) =>
      Number(
        (
          await pool.query<{ n: string }>(
            'select count(*) as n from read_models.knowledge_embeddings where model = $1',
            [name],
          )
        ).rows[0]?.n,
      );
    // The house's own takes what this one is to do, too.
    const running = embedEntries({ pool, embeddings: other, signal: stopping.signal, lookEvery: 20, searchEvery: 50 });
    await until('all of the other model', async () => (await count('other/384')) >= entries.length);
    stopping.abort();
    await running;
    expect(await count('all-MiniLM-L6-v2/384')).toBeGreaterThanOrEqual(entries.length);
  });
});

describe('with an endpoint that is away', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ url: 'http://127.0.0.1:9/v1', ...MINILM, timeoutSeconds: 1 });
    await house.write(ada, { title: 'Pools', content: 'few connections' });
  });
  afterAll(() => house.close());

  it('a search ranks by words alone, and says so', async () => {
    expect(await house.search(ada, 'q=connection')).toMatchObject({ ranking: 'words', items: [{ title: 'Pools' }] });
  });

  it('what is to be embedded is kept', async () => {
    const { rows } = await house.pool.query('select from read_models.knowledge_to_embed');
    expect(rows).toHaveLength(1);
  });
});
