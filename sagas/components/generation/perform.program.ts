import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { codegenSchema } from '@workledger/shared/config/generation.ts';
import { modelSchema } from '@workledger/shared/config/models.ts';
import { retentionSchema } from '@workledger/shared/config/retention.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { openCodegen } from '../codegen/codegen.ts';
import { createComponents } from '../catalogue.ts';
import { createAnswers } from '../models/answers.ts';
import { createModels } from '../models/models.ts';
import { openModels } from '../models/providers.ts';
import { createOutcomes } from './outcomes.ts';

/** All that a process needs to perform one component, so that a test can kill it. */
export type ToPerform = {
  readonly databaseUrl: string;
  readonly dataFolder: string;
  readonly repository: Repository;
  readonly description: string;
  readonly model: object;
  readonly codegen: object;
  readonly privateHosts: readonly string[];
  readonly name: string;
  readonly key: string;
  readonly request: object;
};

const asked = JSON.parse(process.argv[2] ?? '') as ToPerform;
const outbound = { allowHosts: [], privateHosts: [...asked.privateHosts] };
const options = { connectionString: asked.databaseUrl, max: 5, applicationName: 'workledger-test', queryTimeout: null };
const pool = createDatabasePool(options);
const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const providers = await openModels({ models: [modelSchema.parse(asked.model)], outbound }, '/');
const components = createComponents({
  configuration: { repositories: [asked.repository], agents: [], retention: retentionSchema.parse({}) },
  artefacts: createPostgresArtefacts(pool),
  readTask: () => Promise.resolve({ title: 'Fix add', description: asked.description, words: null }),
  ...{ dataFolder: asked.dataFolder, logger, sandbox: null },
  models: createModels(providers, createAnswers(pool), { logger }),
  codegen: await openCodegen({ codegen: codegenSchema.parse(asked.codegen), outbound }, '/'),
  outcomes: createOutcomes(pool),
});
const { signal } = new AbortController();
await components.find(({ name }) => name === asked.name)?.perform(asked.request as never, { key: asked.key, signal });
