import { migrate, type SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { agentsMigration } from './agents/migration.ts';
import { deliveriesMigration } from './deliveries/migration.ts';
import { dependenciesMigration } from './dependencies/migration.ts';
import { engineMigration, identitiesMigration, positionsMigration } from './engine/migration.ts';
import { evolutionsMigration } from './evolutions/migration.ts';
import { generationsMigration } from './generations/migration.ts';
import { keysMigration } from './keys/migration.ts';
import { pipelinesMigration } from './pipelines/migration.ts';
import { tasksMigration } from './tasks/migration.ts';
import { validationsMigration } from './validations/migration.ts';

/** In order; one that was released never changes: a new version of a read model is a new table. */
export const readModels: SqlSchema = {
  name: 'read_models',
  migrations: [
    engineMigration,
    tasksMigration,
    dependenciesMigration,
    agentsMigration,
    evolutionsMigration,
    generationsMigration,
    validationsMigration,
    pipelinesMigration,
    deliveriesMigration,
    keysMigration,
    identitiesMigration,
    positionsMigration,
  ],
};

/** Makes the tables of all read models, in schema `read_models`. */
export const migrateReadModels = (connectionString: string): Promise<void> =>
  migrate(connectionString, readModels.name, readModels.migrations);
