// One call of a component, as a process: `github-call.program.ts <settings as JSON>`. It prints the result, and can be killed in the middle.
import { createComponents } from '@workledger/sagas/components/catalogue.ts';
import { openGithub } from '@workledger/sagas/components/github/github.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';

export type CallSettings = {
  readonly configuration: object;
  readonly folder: string;
  readonly name: string;
  readonly request: object;
};

const { configuration: configured, folder, name, request } = JSON.parse(process.argv[2] ?? '') as CallSettings;
const configuration = configurationSchema.parse(configured);
const components = createComponents({
  configuration,
  artefacts: { put: () => Promise.reject(new Error('keeps nothing')), get: () => Promise.resolve(null) },
  readTask: () => Promise.resolve({ title: 'Fix add', description: 'It subtracts.', words: null }),
  dataFolder: `${folder}/data`,
  logger: createLogger({ service: 'test', level: 'warn' }),
  github: await openGithub(configuration, folder, { changeEveryMilliseconds: 0 }),
});
const component = components.find((one) => one.name === name);
const context = { key: 'saga-1/call/1', signal: new AbortController().signal };
process.stdout.write(`${JSON.stringify(await component?.perform(request as never, context))}\n`);
process.exit();
