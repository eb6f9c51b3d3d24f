import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { modelSchema } from '@workledger/shared/config/models.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { startScriptedModel } from '@workledger/infra/testing/models/scripted-model.ts';
import { createTestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { sagaMigrations } from '../../engine/migrations.ts';
import { createComponents } from '../catalogue.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { createAnswers } from '../models/answers.ts';
import { createModels } from '../models/models.ts';
import { openModels } from '../models/providers.ts';
import { createCodeWorld } from '../testing.ts';
import { createOutcomes } from './outcomes.ts';

/** A repository, a model that a test writes, and the components over them. */
export async function createGenerationWorld(
  script: Parameters<typeof startScriptedModel>[0],
  more: Partial<ComponentEnvironment> = {},
  repository: object = {},
) {
  const database = await createTestDatabase();
  await migrate(database.url, 'artefacts', artefactMigrations);
  await migrate(database.url, 'sagas', sagaMigrations);
  const model = await startScriptedModel(script);
  const outbound = { allowHosts: [], privateHosts: [model.host] };
  const configured = { name: 'fast', url: model.url, model: 'scripted-1', inputUsd: 10, outputUsd: 100 };
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const providers = await openModels({ models: [modelSchema.parse(configured)], outbound }, '/', {
    backOffMs: { first: 1, most: 2 },
  });
  const models = createModels(providers, createAnswers(database.pool), { logger, waitMilliseconds: 1 });
  const world = createCodeWorld(createPostgresArtefacts(database.pool), {
    repository,
    create: (environment) =>
      createComponents({ ...environment, models, outcomes: createOutcomes(database.pool), ...more }),
  });
  return {
    ...{ ...world, database, model, configured },
    dispose: async () => {
      await model.stop();
      await world.remove();
      await database.drop();
    },
  };
}
