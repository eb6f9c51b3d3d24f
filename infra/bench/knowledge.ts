import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { embedEntries } from '@workledger/projections/knowledge/embed-entries.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createNearest } from '@workledger/query-service/knowledge/nearest.ts';
import { startNearestWorker } from '@workledger/query-service/knowledge/nearest-worker.ts';
import { readableBy } from '@workledger/query-service/knowledge/readers.ts';
import { createSearch } from '@workledger/query-service/knowledge/search.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { quantised, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import type { Pool } from 'pg';
import { startEmbeddedPostgres } from '../local/postgres/embedded-postgres.ts';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { inFreshDatabase } from './fresh-database.ts';

// What a search costs among so many entries: comparing alone, and the whole. Meanings are made up: each entry is near one of 200 topics.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    entries: { type: 'string', default: '100000' },
    dimensions: { type: 'string', default: '384' },
    questions: { type: 'string', default: '60' },
  },
});
const [entries, dimensions, questions] = [values.entries, values.dimensions, values.questions].map(Number) as [
  number,
  number,
  number,
];
const MODEL = 'made up';
const TOPICS = 200;
const topics = Array.from({ length: TOPICS }, () => randomVector());
const WORDS = Array.from({ length: 20_000 }, (_, at) => `w${(at * 7_919 + 13).toString(26).replaceAll(/\d/g, 'q')}rd`);

function randomVector(near?: readonly number[]): number[] {
  return Array.from({ length: dimensions }, (_, at) => Math.random() - 0.5 + 1.2 * (near?.[at] ?? 0));
}
/** Few words are frequent, most are rare. */
const word = (): string => WORDS[Math.floor(WORDS.length * Math.random() ** 3)] ?? '';
const sentence = (count: number): string => Array.from({ length: count }, word).join(' ');
const topic = (): number[] => topics[Math.floor(Math.random() * TOPICS)] ?? [];

const embeddings: Embeddings = {
  ...{ model: MODEL, dimensions, batch: 256 },
  embed: async (texts) => texts.map(() => quantised(randomVector(topic()))),
};

const median = (all: readonly number[]): number =>
  all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0;
async function measured(what: () => Promise<unknown>): Promise<{ p50: string; p99: string }> {
  const times: number[] = [];
  for (let each = 0; each < questions; each++) {
    const begun = performance.now();
    await what();
    times.push(performance.now() - begun);
  }
  const p99 = times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? 0;
  return { p50: `${median(times).toFixed(1)} ms`, p99: `${p99.toFixed(1)} ms` };
}

async function plant(pool: Pool): Promise<void> {
  for (let done = 0; done < entries; done += 1_000) {
    const some = Array.from({ length: Math.min(1_000, entries - done) }, () => [newId(), sentence(6), sentence(60)]);
    await pool.query(
      `insert into read_models.knowledge_v1
       select id, 0, 1, title, content, null, '{}', 'english', 'agent:' || (random() * 100)::int, 'all', null, null, '{}', false, null, now(), now(), id
       from unnest($1::text[], $2::text[], $3::text[]) as planted (id, title, content)`,
      [0, 1, 2].map((column) => some.map((row) => row[column])),
    );
  }
}

async function embedAll(pool: Pool): Promise<void> {
  const stopping = new AbortController();
  const running = embedEntries({ pool, embeddings, signal: stopping.signal, lookEvery: 10 });
  const left = async (): Promise<boolean> =>
    (await pool.query('select from read_models.knowledge_to_embed limit 1')).rows.length > 0;
  while (await left()) await new Promise((resolve) => setTimeout(resolve, 200));
  stopping.abort();
  await running;
}

/** The thread's memory, filled as it is from the table. */
async function memory(pool: Pool): Promise<string> {
  const worker = startNearestWorker(dimensions);
  const { rows } = await pool.query<{ id: string; vector: Buffer; scale: number }>(
    'select entry_id as id, vector, scale from read_models.knowledge_embeddings',
  );
  for (let at = 0; at < rows.length; at += 4_000) {
    const page = rows.slice(at, at + 4_000);
    const vectors = new Int8Array(page.length * dimensions);
    for (const [place, { vector }] of page.entries()) vectors.set(new Int8Array(vector), place * dimensions);
    const scales = Float32Array.from(page, ({ scale }) => scale);
    await worker.add(
      page.map(({ id }) => id),
      vectors,
      scales,
    );
  }
  const query = quantised(randomVector(topic()));
  for (let time = 0; time < 20; time++) await worker.nearest(query, 400, null);
  const bytes = await worker.bytes();
  await worker.stop();
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function main(connectionString: string): Promise<void> {
  await migrateReadModels(connectionString);
  const pool = createDatabasePool({ connectionString, max: 8, applicationName: 'bench', queryTimeout: null });
  await plant(pool);
  await embedAll(pool);
  await pool.query(
    'vacuum analyze read_models.knowledge_v1, read_models.knowledge_embeddings, read_models.knowledge_words',
  );

  const readable = readableBy({ actor: 'agent:1', teams: [], repositories: null });
  const narrow = { text: `${readable.text} and t.author = ?`, values: [...readable.values, 'agent:7'] };
  const nearest = createNearest(pool, embeddings);
  const question = () => quantised(randomVector(topic()));
  const begun = performance.now();
  await nearest(question(), readable, 100);
  const loading = performance.now() - begun;
  const search = createSearch({ pool, embeddings, usesOf: async () => new Map(), patience: 1_000 });
  const { signal } = new AbortController();
  await search('warm up', { readable, limit: 20, signal });
  const rows = {
    'first question, which loads all': { p50: `${loading.toFixed(0)} ms`, p99: '' },
    'nearest in meaning, of all': await measured(() => nearest(question(), readable, 100)),
    'nearest in meaning, of a hundredth': await measured(() => nearest(question(), narrow, 100)),
    'whole search, three words': await measured(() => search(sentence(3), { readable, limit: 20, signal })),
    'whole search, one word, misspelt': await measured(() =>
      search(word().replace(/..$/, 'x'), { readable, limit: 20, signal }),
    ),
    'memory of the thread': { p50: await memory(pool), p99: '' },
  };
  console.log(`${entries} entries, ${dimensions} dimensions, ${questions} questions`);
  console.table(rows);
  await pool.end();
}

if (values.url !== undefined) await inFreshDatabase(values.url, main);
else {
  const folder = await temporaryFolder('bench');
  const server = await startEmbeddedPostgres({ folder, log: () => undefined });
  try {
    await inFreshDatabase(server.url, main);
  } finally {
    await server.stop();
    await removeFolder(folder);
  }
}
process.exit();
