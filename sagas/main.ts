import { resolve } from 'node:path';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactTables } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { createHttpCommands } from '@workledger/shared/commands/http/http-commands.ts';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import { createLive } from '@workledger/shared/config/live.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  busVariables,
  configurationVariables,
  drainVariables,
  logVariables,
  sagaVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { loadPlugins } from '@workledger/shared/plugins/load.ts';
import { WORK_TIMEOUT } from '@workledger/shared/resilience/database-pool.ts';
import { readKeyFile } from '@workledger/shared/security/api-key.ts';
import { authenticateBySecret, readSecretFile } from '@workledger/shared/security/shared-secret.ts';
import {
  followLive,
  openEventBus,
  openEventLog,
  openPool,
  openTables,
  tellLag,
} from '@workledger/shared/service/open.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { openCodegen } from './components/codegen/codegen.ts';
import { openGithub } from './components/github/github.ts';
import { openLinear } from './components/linear/linear.ts';
import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { openModels } from './components/models/providers.ts';
import { originLookupRoute } from './components/origin-lookup.ts';
import { openSandbox } from './components/sandbox/open.ts';
import { openSlack } from './components/slack/slack.ts';
import { migrations, start } from './start.ts';

const POOL_SIZE = 24;
const CALLS_AT_ONCE = 16;

void runService({
  name: 'sagas',
  summary:
    'Drives the pipelines of every task: asks components and agents for work, retries, undoes. Any number share the work.',
  variables: {
    ...serverVariables(8085),
    ...logVariables,
    ...busVariables,
    ...configurationVariables,
    ...sagaVariables,
    ...drainVariables,
  },
  dependencies: ['postgresql', 'event-log', 'kafka', 'command-service'],
  start: async (service) => {
    const { environment, logger, outages } = service;
    const loaded = await loadConfiguration(environment.WORKLEDGER_CONFIG);
    const { folder } = loaded;
    const live = createLive(loaded);
    const told = environment.DRAIN_SECONDS === undefined ? {} : { drainSeconds: environment.DRAIN_SECONDS };
    const configuration = live.view('sagas', told);
    const dataFolder = resolve(environment.DATA_FOLDER);
    const pool = openPool(service, POOL_SIZE, WORK_TIMEOUT);
    await openTables(service, pool, [artefactTables, ...migrations]);
    const log = await openEventLog(service);
    await followLive(service, live, log);
    const bus = await openEventBus(service);
    const urls = environment.COMMAND_SERVICE_URL;
    const key = await readKeyFile(environment.SERVICE_KEY_FILE);
    const commands = createHttpCommands({ urls, key, outages });
    await service.dependOn('command-service', () => someoneIsReady(urls));
    const runners = await readRunners(environment.RUNNER_URL, environment.RUNNER_KEY_FILE);
    const github = await openGithub(configuration, folder);
    const plugins = await loadPlugins(configuration, folder, logger);
    const linear = await openLinear(configuration, folder);
    const slack = await openSlack(configuration, folder);
    const models = await openModels(configuration, folder);
    const codegen = await openCodegen(configuration, folder);
    const embeddings = await openEmbeddings(configuration.embeddings, folder);
    const secretFiles = [resolve(environment.SERVICE_KEY_FILE)];
    // Whoever lets others perform starts no program of others.
    const opened = runners === undefined ? await openSandbox(configuration, { folder, dataFolder, secretFiles }) : null;
    if (opened !== null) logger[opened.sandbox === null ? 'warn' : 'info'](`sandbox: ${opened.line}`);
    if (runners !== undefined) await service.dependOn('runner', () => someoneIsReady(runners.urls));
    tellLag(service, bus);
    const sagas = start({
      ...{ log, bus, pool, artefacts: createPostgresArtefacts(pool), commands, logger, outages },
      ...{
        ...{ configuration, live, dataFolder },
        sandbox: opened?.sandbox ?? null,
        ...{ github, linear, slack, models, codegen, embeddings },
        plugins,
        callConcurrency: CALLS_AT_ONCE,
        alone: false,
        runners,
      },
    });
    service.run(sagas);
    service.serve([originLookupRoute(sagas.whyNotInOrigin)], authenticateBySecret(key, 'command-service', 'service'));
  },
});

/** Where calls are performed; undefined: in this process. */
async function readRunners(urls: readonly string[] | undefined, keyFile: string | undefined) {
  if (urls === undefined) return undefined;
  if (keyFile === undefined)
    throw new ConfigurationError('environment', [
      'RUNNER_KEY_FILE: not set → set it: the file with the secret that runners share with sagas',
    ]);
  return { urls, key: await readSecretFile(keyFile) };
}

async function someoneIsReady(urls: readonly string[]): Promise<void> {
  await Promise.any(
    urls.map(async (url) => {
      const answer = await fetch(new URL('/health/ready', url), { signal: timeoutSignal(2_000) });
      if (!answer.ok) throw new Error(`${url} is not ready: ${answer.status}`);
    }),
  );
}
