// One call of a component, as a process: `component-call.program.ts <settings as JSON>`. It prints the result, and can be killed in the middle.
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { createComponents } from '@workledger/sagas/components/catalogue.ts';
import { openCodegen } from '@workledger/sagas/components/codegen/codegen.ts';
import { openGithub } from '@workledger/sagas/components/github/github.ts';
import { createAnswers } from '@workledger/sagas/components/models/answers.ts';
import { createModels } from '@workledger/sagas/components/models/models.ts';
import { openModels } from '@workledger/sagas/components/models/providers.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';

export type CallSettings = {
  readonly configuration: object;
  readonly folder: string;
  readonly name: string;
  readonly request: object;
  /** Default: `saga-1/call/1`. */
  readonly key?: string;
  /** Of the task. Default: `It subtracts.` */
  readonly description?: string;
  /** Where artefacts and answers of models are kept; left out: nowhere. */
  readonly databaseUrl?: string;
};

const settings = JSON.parse(process.argv[2] ?? '') as CallSettings;
const { folder, name, request, key = 'saga-1/call/1', description = 'It subtracts.', databaseUrl } = settings;
const configuration = configurationSchema.parse(settings.configuration);
const logger = createLogger({ service: 'test', level: 'warn' });
const keptNowhere = {
  put: () => Promise.reject(new Error('keeps nothing')),
  get: () => Promise.resolve(null),
};
const common = { max: 5, applicationName: 'workledger-test', queryTimeout: null };
const pool = databaseUrl === undefined ? null : createDatabasePool({ connectionString: databaseUrl, ...common });
const components = createComponents({
  configuration,
  artefacts: pool === null ? keptNowhere : createPostgresArtefacts(pool),
  readTask: () => Promise.resolve({ title: 'Fix add', description, words: null }),
  ...{ dataFolder: `${folder}/data`, logger },
  github: await openGithub(configuration, folder, { changeEveryMilliseconds: 0 }),
  codegen: await openCodegen(configuration, folder),
  models: pool && createModels(await openModels(configuration, folder), createAnswers(pool), { logger }),
});
const component = components.find((one) => one.name === name);
const context = { key, signal: new AbortController().signal };
process.stdout.write(`${JSON.stringify(await component?.perform(request as never, context))}\n`);
process.exit();
