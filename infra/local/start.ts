import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkSetup } from '@workledger/sagas/components/code/check-setup.ts';
import { loadConfiguration, type LoadedConfiguration } from '@workledger/shared/config/load.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { agentNames } from './agent-names.ts';
import { fail, oneLine } from './fail.ts';
import { createPrinter, followSteps } from './step-lines/printer.ts';
import { startSystem } from './system.ts';

const HELP = `Workledger, embedded: the whole system in one process, on a PostgreSQL of its own.

Usage: npm start -- [options]

  --config FILE   configuration (default: workledger.json; without one, the defaults)
  --check         try each repository's commands on its base and each agent's executable, then end
  --help          this text

Ctrl-C stops it: what was accepted is finished, or goes on at the next start.
Exit code 0: stopped or all checks passed; 1: could not start, or a check failed; 2: wrong usage.
`;

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const loaded = await loadConfiguration(options.config);
  if (options.check === true) process.exitCode = await check(loaded);
  else await serve(loaded);
}

function readOptions(): { config?: string; check?: boolean; help?: boolean } {
  try {
    const options = {
      config: { type: 'string' },
      check: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

async function check({ configuration, folder }: LoadedConfiguration): Promise<number> {
  const dataFolder = resolve(folder, configuration.dataFolder);
  const results = await checkSetup({ configuration, dataFolder }, ({ subject, ok, detail }) => {
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${subject}: ${detail}\n`);
  });
  const failures = results.filter(({ ok }) => !ok).length;
  process.stdout.write(
    failures === 0 ? `all ${results.length} checks passed\n` : `${failures} of ${results.length} checks failed\n`,
  );
  return failures === 0 ? 0 : 1;
}

async function serve({ configuration, folder }: LoadedConfiguration): Promise<void> {
  const dataFolder = resolve(folder, configuration.dataFolder);
  const logger = createLogger({ service: 'workledger', level: configuration.logLevel }, process.stderr);
  const system = await startSystem({ configuration, folder, dataFolder, logger });
  process.stdout.write(
    [
      `Workledger is ready: ${system.url}`,
      `  API          ${system.url}/api/v1/openapi.json`,
      `  health       ${system.url}/health`,
      `  admin key    ${system.adminKey.file}`,
      `  data folder  ${dataFolder}`,
      '',
    ].join('\n'),
  );
  const following = new AbortController();
  const steps = followSteps(
    system.log,
    system.startedAt,
    createPrinter(process.stdout, agentNames(configuration)),
    following.signal,
  );

  const [signal] = await nextSignal();
  process.stdout.write(`${signal}: stopping\n`);
  process.once('SIGINT', () => process.exit(130));
  await system.stop();
  following.abort();
  await steps;
}

const nextSignal = (): Promise<[NodeJS.Signals]> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve([signal]));
  });

main().catch(fail);
