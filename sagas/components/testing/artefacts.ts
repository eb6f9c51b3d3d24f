import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createTestDatabase } from '@workledger/shared/testing/database.ts';

export type TestArtefacts = { readonly artefacts: Artefacts; drop(): Promise<void> };

/** An artefact store in a database of its own. */
export async function createTestArtefacts(): Promise<TestArtefacts> {
  const database = await createTestDatabase();
  await migrate(database.url, 'artefacts', artefactMigrations);
  return { artefacts: createPostgresArtefacts(database.pool), drop: () => database.drop() };
}
