import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../migrations/migrate.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { artefactsContract } from '../contract.ts';
import { ArtefactDamaged, type Artefacts } from '../port.ts';
import { createPostgresArtefacts } from './artefacts.ts';
import { artefactMigrations } from './migrations.ts';

let database: TestDatabase;
let artefacts: Artefacts;
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
});
