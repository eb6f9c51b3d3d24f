import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../migrations/migrate.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { artefactsContract } from '../contract.ts';
import { ArtefactDamaged, type ArtefactStore, CHUNK_BYTES } from '../port.ts';
import { createPostgresArtefacts } from './artefacts.ts';
import { artefactMigrations } from './migrations.ts';

let database: TestDatabase;
let artefacts: ArtefactStore;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'artefacts', artefactMigrations);
  artefacts = createPostgresArtefacts(database.pool);
});
afterAll(() => database.drop());

artefactsContract('postgres', () => artefacts);

it('refuses to give bytes that were changed behind its back', async () => {
  const { digest } = await artefacts.put(Buffer.from('right'), 'text/plain');
  await database.pool.query('update artefacts.artefacts set bytes = $2 where digest = $1', [
    digest,
    Buffer.from('wrong'),
  ]);
  await expect(artefacts.get(digest)).rejects.toBeInstanceOf(ArtefactDamaged);
  await expect(artefacts.stream(digest)[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ArtefactDamaged);
});

it('keeps the last chunk back of bytes that were changed, so that nobody takes them for whole', async () => {
  const { digest } = await artefacts.put(Buffer.alloc(3 * CHUNK_BYTES, 1), 'text/plain');
  await database.pool.query('update artefacts.artefacts set bytes = $2 where digest = $1', [
    digest,
    Buffer.alloc(3 * CHUNK_BYTES, 2),
  ]);
  let read = 0;
  const all = async (): Promise<void> => {
    for await (const chunk of artefacts.stream(digest)) read += chunk.byteLength;
  };
  await expect(all()).rejects.toBeInstanceOf(ArtefactDamaged);
  expect(read).toBe(2 * CHUNK_BYTES);
});

it('reads a chunk a statement, no further than it is asked for, and none for size and media type', async () => {
  const { digest } = await artefacts.put(Buffer.alloc(40 * CHUNK_BYTES, 3), 'text/plain');
  let bytes = 0;
  let statements = 0;
  const counting = {
    query: async (statement: string | pg.QueryConfig, values?: unknown[]) => {
      const result = await database.pool.query<{ chunk?: Buffer }>(statement, values);
      statements += 1;
      for (const { chunk } of result.rows) bytes += chunk?.byteLength ?? 0;
      return result;
    },
  } as Pick<pg.Pool, 'query'>;
  const store = createPostgresArtefacts(counting);
  await store.head(digest);
  expect([statements, bytes]).toEqual([1, 0]);
  for await (const _chunk of store.stream(digest)) if (statements === 4) break;
  expect([statements, bytes]).toEqual([4, 3 * CHUNK_BYTES]);
});

it('lets PostgreSQL fetch a part without the rest: what is stored is not compressed, however well it could be', async () => {
  const { digest, size } = await artefacts.put(Buffer.alloc(4 * CHUNK_BYTES, 4), 'text/plain');
  const { rows } = await database.pool.query<{ compression: string | null; stored: number }>(
    `select pg_column_compression(bytes) as compression, pg_column_size(bytes) as stored
     from artefacts.artefacts where digest = $1`,
    [digest],
  );
  expect(rows).toEqual([{ compression: null, stored: size }]);
});
