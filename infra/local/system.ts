import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeMacKeyFile } from '@workledger/command-service/key-files/key-files.ts';
import * as commandService from '@workledger/command-service/start.ts';
import * as projections from '@workledger/projections/start.ts';
import { sendInProcess } from '@workledger/query-service/live/forward.ts';
import * as queryService from '@workledger/query-service/start.ts';
import { openGithub } from '@workledger/sagas/components/github/github.ts';
import { openLinear } from '@workledger/sagas/components/linear/linear.ts';
import { openCodegen } from '@workledger/sagas/components/codegen/codegen.ts';
import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import { openModels } from '@workledger/sagas/components/models/providers.ts';
import { openSandbox } from '@workledger/sagas/components/sandbox/open.ts';
import { openSlack } from '@workledger/sagas/components/slack/slack.ts';
import type { OnNote } from '@workledger/sagas/engine/notes.ts';
import * as sagas from '@workledger/sagas/start.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactTables } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { ConfigurationError, openHost } from '@workledger/shared/config/faults.ts';
import { createLive } from '@workledger/shared/config/live.ts';
import type { Written } from '@workledger/shared/config/effective.ts';
import { readSecret } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { ComponentName } from '@workledger/shared/config/overlays.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createApplication } from '@workledger/shared/http/application.ts';
import { createHealth } from '@workledger/shared/http/health.ts';
import { startServer } from '@workledger/shared/http/server.ts';
import { loadPlugins } from '@workledger/shared/plugins/load.ts';
import { pluginMiddleware } from '@workledger/shared/plugins/middleware.ts';
import { WORK_TIMEOUT } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages, type Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { readMacKeys } from '@workledger/shared/security/key-macs.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { createSecretHashOf } from '@workledger/shared/security/secrets.ts';
import { type Closers, createClosers } from '@workledger/shared/service/closers.ts';
import { openEventLog, openPool, openTables, tellConsumeError } from '@workledger/shared/service/open.ts';
import { runLoops, type Host, type RunningService } from '@workledger/shared/service/service.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { type AdminKey, ensureAdminKey } from './admin-key.ts';
import { startEmbeddedPostgres } from './postgres/embedded-postgres.ts';
import { makeDataFolder } from './postgres/home.ts';

export type SystemOptions = {
  readonly configuration: Configuration;
  /** The file as it is written, below what the API sets; default: the configuration. */
  readonly written?: Written;
  /** Absolute folder of the configuration file. */
  readonly folder: string;
  /** Absolute data folder. */
  readonly dataFolder: string;
  readonly logger: Logger;
  /** Told of each note of an agent that runs here. */
  readonly onNote?: OnNote | undefined;
};

export type System = {
  readonly url: string;
  readonly adminKey: AdminKey;
  /** One line: whether agents and commands run in a sandbox, and why not. */
  readonly sandbox: string;
  readonly log: EventLog;
  /** Position of the last event before this start. */
  readonly startedAt: bigint;
  /** Resolves with the reason when it cannot go on: PostgreSQL has ended, or something that must always run. */
  readonly failed: Promise<Error>;
  /** What agents and tests do now, a line each. */
  underWay(): readonly string[];
  /** Drains: what was accepted is finished or goes on after the next start; agents at work have `drainSeconds`. */
  stop(): Promise<void>;
};

const DRAIN_MILLISECONDS = 10_000;
const CALLS_AT_ONCE = 64;
const POOL_SIZE = 20;
const SAGAS_POOL_SIZE = 24;
/** The projections' own: a read model that catches up leaves all connections of the commands alone. */
const PROJECTIONS_POOL_SIZE = 10;

/** The whole system in one process, on a PostgreSQL of its own. @throws errors with one clear line each, after all is closed */
export async function startSystem(options: SystemOptions): Promise<System> {
  const closers = createClosers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start(options: SystemOptions, closers: Closers): Promise<System> {
  const { folder, dataFolder, logger, onNote } = options;
  const live = createLive(options);
  const configuration = live.view();
  const tls = await readTls(configuration, folder);
  await makeDataFolder(dataFolder);
  const plugins = await loadPlugins(configuration, folder, logger);
  const github = await openGithub(configuration, folder);
  const linear = await openLinear(configuration, folder);
  const slack = await openSlack(configuration, folder);
  const models = await openModels(configuration, folder);
  const embeddings = await openEmbeddings(configuration.embeddings, folder);
  const codegen = await openCodegen(configuration, folder);
  const { sandbox, line } = await openSandbox(configuration, { folder, dataFolder });
  const postgres = await startEmbeddedPostgres({
    folder: join(dataFolder, 'postgres'),
    log: (line) => logger.info({ server: 'postgresql' }, line),
  });
  closers.add(() => postgres.stop());
  const outages = createOutages(logger);
  const { host, checks } = createHost(postgres.url, logger, outages, closers);

  const pool = openPool(host, POOL_SIZE);
  const sagasPool = openPool({ ...host, name: 'sagas' }, SAGAS_POOL_SIZE, WORK_TIMEOUT);
  const projectionsPool = openPool({ ...host, name: 'projections' }, PROJECTIONS_POOL_SIZE, null);
  const { migrations } = commandService;
  await openTables(host, pool, [artefactTables, ...migrations, ...projections.migrations, ...sagas.migrations]);
  const log = await openEventLog(host);
  await live.open(log);
  const startedAt = await log.head();
  const bus = createInProcessBus(log, { onError: tellConsumeError(logger, outages) });
  closers.add(() => bus.close());
  const macKeyFile = join(dataFolder, 'mac-key');
  await makeMacKeyFile(macKeyFile);
  const keys = createKeyStore(log, { macs: await readMacKeys(macKeyFile), secretHashOf: createSecretHashOf(pool) });
  const common = {
    ...{ log, bus, keys, artefacts: createPostgresArtefacts(pool), wakeUps: createWakeUps() },
    ...{ folder, dataFolder, logger, outages, live },
  };
  const ofService = (name: ComponentName) => ({ ...common, configuration: live.view(name) });

  /** Once they run: what is submitted before is looked for later. */
  let sagasThatAsk: sagas.RunningSagas | null = null;
  const writeSide = await commandService.start({
    ...{ ...ofService('command-service'), pool, plugins },
    whyNotInOrigin: async (submitted) => (await sagasThatAsk?.whyNotInOrigin(submitted)) ?? null,
  });
  const readModels = projections.start({ ...ofService('projections'), pool: projectionsPool });
  closers.add(() => readModels.stop());
  closers.add(() => writeSide.stop());
  const readSide = await queryService.start({
    ...ofService('query-service'),
    pool,
    sendCommand: sendInProcess(() => application),
  });

  const adminKey = await ensureAdminKey(dataFolder, writeSide.commands, keys, log);
  const health = createHealth({
    logger,
    outages,
    checks,
    details: () => ({ ...readModels.facts?.(), ...readSide.facts(), ...sagasThatAsk?.facts(), ...live.facts() }),
  });
  const authenticate = authenticateWith(keys, { logger, trustedProxies: configuration.trustedProxies });
  const application = createApplication({
    routes: [...health.routes, ...writeSide.routes, ...readSide.routes],
    authenticate,
    logger,
    before: pluginMiddleware(plugins),
    title: 'Workledger',
    version: '1',
  });
  const server = await startServer(application, { ...configuration, tls, upgrade: readSide.upgrade(authenticate) });
  const drain = (): Promise<void> => {
    health.drain();
    readSide.drain();
    return server.stop(DRAIN_MILLISECONDS);
  };
  closers.add(drain);
  const runningSagas = sagas.start({
    ...{ ...ofService('sagas'), pool: sagasPool, commands: writeSide.commands, sandbox, plugins },
    ...{ github, linear, slack, models, codegen, embeddings },
    ...{ callConcurrency: CALLS_AT_ONCE, alone: true, onNote },
  });
  sagasThatAsk = runningSagas;
  closers.add(() => runningSagas.stop());
  // Once more, so that it comes first: nothing new is accepted while the sagas stop.
  closers.add(drain);

  const following = runLoops((signal) => [live.run({ signal, outages })]);
  closers.add(() => following.stop());
  const failed = firstFailure(postgres.died, [readModels, runningSagas]);
  return {
    url: server.url,
    adminKey,
    sandbox: line,
    log,
    startedAt,
    failed,
    underWay: () => runningSagas.underWay().map(({ component, taskId }) => `${component} of task ${taskId}`),
    stop: async () => {
      // Agents at work may ask our own API, and people may look on.
      health.drain();
      await Promise.race([runningSagas.drain(), failed]);
      await closers.close();
    },
  };
}

/** @throws ConfigurationError where other machines could listen, or the files cannot be read */
async function readTls(configuration: Configuration, folder: string) {
  const faults = openHost(configuration);
  if (faults.length > 0) throw new ConfigurationError('configuration', faults);
  const { tls } = configuration;
  if (tls === null) return null;
  if (!('key' in tls))
    throw new ConfigurationError('configuration', [
      'tls: one process cannot ask for a certificate → name files, or use the gateway (start:distributed)',
    ]);
  const read = (name: 'certificate' | 'key'): Promise<string> =>
    readSecret({ file: tls[name] }, { place: `tls.${name}`, folder });
  return { certificate: await read('certificate'), key: await read('key') };
}

/** This process as the host of all services: what it opens is there at once, or it does not start. */
function createHost(DATABASE_URL: string, logger: Logger, outages: Outages, closers: Closers) {
  const checks: Record<string, () => Promise<void>> = {};
  const host: Host = {
    ...{ name: 'commands and queries', logger, outages, closing: closers.closing, onClose: closers.add },
    dependOn: async (name, open, check = open) => {
      const opened = await open();
      checks[name] = async () => void (await check(opened));
      return opened;
    },
  };
  return { host: { ...host, environment: { DATABASE_URL } }, checks };
}

const LOOK_AGAIN_MILLISECONDS = 1_000;

/**
 * Resolves with why the system cannot go on: PostgreSQL has ended, or what must always run has failed. Who loses its connection
 * may tell before the server's end is seen: that end is the better reason, and is waited for a moment.
 */
async function firstFailure(died: Promise<string>, services: readonly RunningService[]): Promise<Error> {
  const ended = died.then(
    (how) => new Error(`PostgreSQL has ended (${how}): start again, nothing that was accepted is lost`),
  );
  const failures = services.flatMap(({ failed }) => failed ?? []);
  const error = await Promise.race([ended, ...failures]);
  const better = await Promise.race([ended, pause(LOOK_AGAIN_MILLISECONDS, null, { ref: false })]);
  return better ?? error;
}
