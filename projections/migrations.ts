import { migrate, type SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { projections } from './all.ts';
import { engineMigration, identitiesMigration, positionsMigration, redrivesMigration } from './engine/migration.ts';

/** By their numbers; one that was released never changes: a new version of a read model is a new table. */
export const readModels: SqlSchema = {
  name: 'read_models',
  migrations: [
    engineMigration,
    identitiesMigration,
    positionsMigration,
    redrivesMigration,
    ...projections.flatMap(({ migrations }) => migrations),
  ].sort((one, other) => (one.name < other.name ? -1 : 1)),
};

/** Makes the tables of all read models, in schema `read_models`. */
export const migrateReadModels = (connectionString: string): Promise<void> =>
  migrate(connectionString, readModels.name, readModels.migrations);
