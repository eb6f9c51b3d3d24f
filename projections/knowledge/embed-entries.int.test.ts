import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { until } from '@workledger/infra/testing/processes/until.ts';
import { EmbeddingsFailed, quantised, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { migrateReadModels } from '../migrations.ts';
import { embedEntries } from './embed-entries.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
});
afterAll(() => database.drop());

let fault: (texts: readonly string[]) => Error | null;
let calls = 0;
const embeddings: Embeddings = {
  ...{ model: 'test', dimensions: 8, batch: 4 },
  embed: async (texts) => {
    calls++;
    const error = fault(texts);
    if (error !== null) throw error;
    return texts.map((text) => quantised([text.length, 1, 2, 3, 4, 5, 6, 7]));
  },
};
const write = async (...titles: string[]): Promise<void> =>
  void (await database.pool.query(
    `insert into read_models.knowledge_v1 select title, 0, 1, title, 'content', null, '{}', 'english', 'a', 'all', null, null, '{}', false, null, now(), now(), title
     from unnest($1::text[]) as planted (title)`,
    [titles],
  ));
const column = async (statement: string): Promise<unknown[]> =>
  (await database.pool.query<{ is: unknown }>(statement)).rows.map(({ is }) => is);
const embedded = () => column('select entry_id as is from read_models.knowledge_embeddings order by entry_id');
const left = () => column('select entry_id as is from read_models.knowledge_to_embed order by entry_id');

async function during(work: () => Promise<unknown>, told: (string | null)[] = []): Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = embedEntries({
    pool: database.pool,
    embeddings,
    signal,
    lookEvery: 10,
    onProblem: (each) => told.push(each),
  });
  await work().finally(() => stopping.abort());
  await running;
}

beforeEach(async () => {
  [fault, calls] = [() => null, 0];
  await database.pool.query(
    'truncate read_models.knowledge_v1, read_models.knowledge_embeddings, read_models.knowledge_to_embed, read_models.knowledge_words',
  );
});
const untilAll = (count: number) => until('all to be embedded', async () => (await embedded()).length === count);

it('embeds what was written, in batches, and then asks for nothing', async () => {
  await write('a', 'b', 'c', 'd', 'e');
  await during(() => untilAll(5));
  expect([await left(), calls]).toEqual([[], 2]);
});

it('goes on after an endpoint that failed, and tells it once', async () => {
  await write('a');
  const told: (string | null)[] = [];
  fault = () => (calls < 2 ? new EmbeddingsFailed('away') : null);
  await during(async () => {
    await untilAll(1);
    await until('its end to be told', async () => told.length === 2);
  }, told);
  expect(told).toEqual(['entries are not embedded: away', null]);
});

it('lets no text wait for one that is refused, and tries that one again later', async () => {
  await write('a', 'bad', 'c');
  fault = (texts) =>
    texts.some((text) => text.includes('bad')) ? new EmbeddingsFailed('too long', { ofText: true }) : null;
  await during(() => untilAll(2));
  expect([await embedded(), await left()]).toEqual([['a', 'c'], ['bad']]);
  expect(await column('select due_at > now() as is from read_models.knowledge_to_embed')).toEqual([true]);
});

it('embeds again what was rewritten, and not what only changed otherwise', async () => {
  await write('a', 'b');
  await during(() => untilAll(2));
  await database.pool.query(`update read_models.knowledge_v1 set archived = true, revision = 1`);
  expect(await left()).toEqual([]);
  await database.pool.query(
    `update read_models.knowledge_v1 set digest = 'other', version = 2, content = 'rewritten' where id = 'a'`,
  );
  expect(await left()).toEqual(['a']);
  await during(() => until('it to be embedded', async () => (await left()).length === 0));
  expect(await column('select digest as is from read_models.knowledge_embeddings order by entry_id')).toEqual([
    'other',
    'b',
  ]);
});

it('embeds what was written before any model was configured, or under another one', async () => {
  await write('a', 'b');
  await database.pool.query('truncate read_models.knowledge_to_embed');
  await during(() => untilAll(2));
});

it('knows every word from four letters on, beyond ASCII, too', async () => {
  await write('Häuser, “Bäume” & SQL-Connections');
  expect(await column('select word as is from read_models.knowledge_words order by word collate "C"')).toEqual([
    'bäume',
    'connections',
    'content',
    'häuser',
  ]);
});
