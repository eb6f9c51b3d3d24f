import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { embedEntries } from '@workledger/projections/knowledge/embed-entries.ts';
import { createNearest } from '@workledger/query-service/knowledge/nearest.ts';
import { readableBy } from '@workledger/query-service/knowledge/readers.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { until } from '../../testing/processes/until.ts';
import { fetchPgvector, HOW_TO_GET_IT, type Pgvector } from '../../testing/servers/pgvector.ts';
import { person, startEmbeddingsEndpoint, startHouse, type EmbeddingsEndpoint, type House } from './testing.ts';

const DIMENSIONS = 16;
const axes = ['tea', 'release', 'pool', 'check', 'leave', 'secret'];

/** A text means the words of the axes that it has, and a little of its length. */
const meant = (words: string): number[] =>
  Array.from({ length: DIMENSIONS }, (_, axis) =>
    axis < axes.length ? words.toLowerCase().split(axes[axis]!).length - 1 : (words.length % (axis + 2)) / 100,
  );

let endpoint: EmbeddingsEndpoint;
let pgvector: Pgvector | null = null;
let configured: { readonly url: string; readonly model: string; readonly dimensions: number };
beforeAll(async () => {
  endpoint = await startEmbeddingsEndpoint(meant);
  configured = { url: endpoint.url, model: "o'clock?", dimensions: DIMENSIONS };
  pgvector = await fetchPgvector();
}, 240_000);
beforeEach((context) => {
  if (pgvector === null) context.skip(HOW_TO_GET_IT);
});
afterAll(async () => {
  await pgvector?.remove();
  endpoint.close();
});

const [ada, bob] = [person('agent'), person('agent')];
async function fill(house: House): Promise<void> {
  for (const [number, axis] of axes.entries())
    for (let more = 0; more < 5; more++) {
      const content = `${`${axis} `.repeat(more + 1)}and ${axes[(number + more) % axes.length]}`;
      const access = { kind: more < 4 ? 'private' : 'all' };
      await house.write(more % 2 === 0 ? ada : bob, { title: `${axis} ${more}`, content, access });
    }
  await house.untilEmbedded();
}

test('a server that gets pgvector later compares there what was computed before, and answers the same', async () => {
  const house = await startHouse(configured);
  await fill(house);
  const embeddings = (await openEmbeddings(configurationSchema.parse({ embeddings: configured }).embeddings, '.'))!;
  const [question] = await embeddings.embed(['a secret of the tea'], { signal: AbortSignal.timeout(10_000) });
  const readable = readableBy(ada);
  const byThread = await createNearest(house.pool, embeddings)(question!, readable, 12);
  expect(byThread).toHaveLength(12);

  await pgvector!.offerTo(house.database);
  const pool = createDatabasePool({
    ...{ connectionString: house.database.url, max: 4, applicationName: 'workledger-test', queryTimeout: null },
  });
  const stopping = new AbortController();
  const embedding = embedEntries({ pool, embeddings, signal: stopping.signal, lookEvery: 20 });
  const filled = `select from read_models.knowledge_embeddings where meaning is null`;
  await until('the vectors in the type of pgvector', () =>
    pool.query(filled).then(
      ({ rows }) => rows.length === 0,
      () => false,
    ),
  );
  const { rows } = await pool.query<{ indexdef: string }>(
    `select indexdef from pg_indexes where tablename = 'knowledge_embeddings' and indexdef like '%hnsw%'`,
  );
  expect(rows).toHaveLength(1);
  const byPgvector = await createNearest(pool, embeddings)(question!, readable, 12);
  expect(byPgvector).toHaveLength(byThread.length);
  for (const [place, { similarity }] of byPgvector.entries())
    expect(Math.abs(similarity - byThread[place]!.similarity)).toBeLessThan(0.01);
  stopping.abort();
  await embedding;
  await pool.end();
  await house.close();
});

test('with pgvector from the start, knowledge is found by its meaning, by who may read it, as it now is', async () => {
  const house = await startHouse(configured, (database) => pgvector!.offerTo(database));
  await fill(house);
  const isOpen = (title: string, who: 'ada' | 'bob'): boolean =>
    title.endsWith('4') || Number(title.at(-1)) % 2 === (who === 'ada' ? 0 : 1);
  const ofAda = await house.search(ada, 'q=tea&limit=30');
  expect(ofAda.ranking).toBe('words and meaning');
  expect(ofAda.items[0]!.title).toMatch(/^tea/);
  expect(ofAda.items.every(({ title }) => isOpen(title, 'ada'))).toBe(true);
  expect((await house.titles(bob, 'q=release&limit=30')).every((title) => isOpen(title, 'bob'))).toBe(true);

  const id = await house.write(ada, { title: 'A note', content: 'leave leave leave' });
  await house.untilEmbedded();
  const like = async (): Promise<string> => {
    const { items } = (await house.ask(ada, 'GET', `/knowledge/${id}/related`)).body as { items: { title: string }[] };
    return items[0]!.title.split(' ')[0]!;
  };
  expect(await like()).toBe('leave');
  await house.ask(ada, 'PATCH', `/knowledge/${id}`, { content: 'secret secret secret' });
  await house.untilEmbedded();
  expect(await like()).toBe('secret');
  await house.close();
});
