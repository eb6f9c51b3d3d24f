import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkSetup } from '@workledger/sagas/components/code/check/check-setup.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { describePlugin, findPlugins } from '@workledger/shared/plugins/load.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { makeApp } from './github-app/make-app.ts';
import { makeDataFolder } from './postgres/home.ts';
import { agentNames, createPrinter, followSteps } from './step-lines/printer.ts';
import { harmless, oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { fail, keepToOurselves, stopSignal } from '@workledger/shared/service/program.ts';
import { stopRunning, tellWhatIsUnderWay } from './stop-running.ts';
import { startSystem, type SystemOptions } from './system.ts';

const HELP = `Workledger, embedded: the whole system in one process, on a PostgreSQL of its own.

Usage: npm start -- [options]

  --config FILE   configuration (default: workledger.json; without one, the defaults)
  --data DIR      data folder instead of the configuration's
  --check         try the sandbox, each repository (pushes that are taken back, its commands on its base) and each agent, then end
  --plugins       list the plugins of the configuration: what each is, brings and needs, none of its code run; then end
  --github-app    have GitHub make an app for Workledger, by one button on a local page; its login goes into the configuration
  --organization  the organization that owns that app; default: you
  --github-url    of its API, where it is not the one that is configured (GitHub Enterprise Server: https://<host>/api/v3)
  --stop          ask the Workledger that runs on this data folder to stop, and wait until it has ended
  --help          this text

Ctrl-C (or SIGTERM) stops it: no agent begins any more, those at work may finish within drainSeconds, all else goes on at the next start.
A second Ctrl-C ends it at once.
Exit code 0: stopped or all checks passed; 1: could not start or be stopped, or a check failed; 2: wrong usage.
`;

async function main(): Promise<void> {
  keepToOurselves();
  const options = readOptions();
  if (options.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const { configuration, folder, written } = await loadConfiguration(options.config);
  const dataFolder = options.data === undefined ? resolve(folder, configuration.dataFolder) : resolve(options.data);
  if (options.stop === true) return stopRunning(dataFolder, (line) => void process.stdout.write(harmless(`${line}\n`)));
  if (options.plugins === true) return listPlugins(configuration, folder);
  await makeDataFolder(dataFolder);
  if (options['github-app'] === true)
    return makeApp({
      ...{ configuration, dataFolder, configurationFile: options.config ?? 'workledger.json' },
      organization: options.organization ?? null,
      url: options['github-url'] ?? null,
      tell: (line) => void process.stdout.write(harmless(`${line}\n`)),
    });
  if (options.check === true) process.exitCode = await check(configuration, folder, dataFolder);
  else await serve({ configuration, written, folder, dataFolder });
}

function readOptions(): {
  config?: string;
  data?: string;
  check?: boolean;
  plugins?: boolean;
  'github-app'?: boolean;
  organization?: string;
  'github-url'?: string;
  stop?: boolean;
  help?: boolean;
} {
  try {
    const options = {
      config: { type: 'string' },
      data: { type: 'string' },
      check: { type: 'boolean' },
      plugins: { type: 'boolean' },
      'github-app': { type: 'boolean' },
      organization: { type: 'string' },
      'github-url': { type: 'string' },
      stop: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

async function listPlugins(configuration: Configuration, folder: string): Promise<void> {
  const lines = (await findPlugins(configuration, folder)).flatMap((plugin) => describePlugin(plugin));
  const disabled = configuration.plugins.filter(({ enabled }) => !enabled).map(({ from }) => `${from}  (not enabled)`);
  const all = [...lines, ...disabled];
  process.stdout.write(harmless(`${all.length === 0 ? 'no plugins are configured' : all.join('\n')}\n`));
}

async function check(configuration: Configuration, folder: string, dataFolder: string): Promise<number> {
  const results = await checkSetup({ configuration, folder, dataFolder }, ({ subject, ok, detail }) => {
    process.stdout.write(harmless(`${ok ? 'ok    ' : 'FAILED'}  ${subject}: ${detail}\n`));
  });
  const failures = results.filter(({ ok }) => !ok).length;
  process.stdout.write(
    failures === 0 ? `all ${results.length} checks passed\n` : `${failures} of ${results.length} checks failed\n`,
  );
  return failures === 0 ? 0 : 1;
}

async function serve(options: Omit<SystemOptions, 'logger'>): Promise<void> {
  const stopAsked = stopSignal();
  const { configuration, dataFolder } = options;
  const logger = createLogger({ service: 'workledger', level: configuration.logLevel }, process.stderr);
  const print = createPrinter(process.stdout, agentNames(configuration));
  const system = await startSystem({ ...options, logger, onNote: print.note });
  process.stdout.write(
    [
      `Workledger is ready: ${system.url}`,
      `  API          ${system.url}/api/v1/openapi.json`,
      `  health       ${system.url}/health`,
      `  admin key    ${system.adminKey.file}${system.adminKey.replaced ? ' (a new one: the one there was not valid here)' : ''}`,
      `  data folder  ${dataFolder}`,
      `  sandbox      ${system.sandbox}`,
      '',
    ].join('\n'),
  );
  const following = new AbortController();
  const steps = followSteps(system.log, system.startedAt, print, following.signal).catch(() => undefined);

  const failure = await Promise.race([stopAsked.then(() => null), system.failed]);
  if (failure !== null) throw failure;
  process.stdout.write(`${await stopAsked}: stopping\n`);
  const told = await tellWhatIsUnderWay(dataFolder, system, (line) => void process.stdout.write(harmless(`${line}\n`)));
  await system.stop();
  await told();
  following.abort();
  await steps;
  process.stdout.write('stopped\n');
  process.exit();
}

main().catch(fail);
