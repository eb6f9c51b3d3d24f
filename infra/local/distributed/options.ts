import { parseArgs } from 'node:util';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { standingConfiguration, webhookSecret } from '../demo/configuration.ts';
import { serviceNames, type ServiceName } from './plan-services.ts';

const HELP = `Workledger, distributed: every service a process of its own, with Kafka between them and a gateway in front.

Usage: npm run start:distributed -- [options]

  --native          start Kafka (needs Java 17 and, the first time, Maven) and PostgreSQL here;
                    without it DATABASE_URL and KAFKA_BROKERS must say where they are
  --config FILE     configuration (default: workledger.json; without one, the demo's agents and repositories)
  --data DIR        data folder (default: .workledger)
  --port N          the gateway's port (default: 8080; 0: any free one, for the services, too)
  --scale NAME=N    so many of a service; may be given several times
                    (${serviceNames.join(', ')})
  --help            this text

EVENTSTOREDB_URL (esdb://…) puts the event log into EventStoreDB; without it, it is kept in PostgreSQL.
What ends by itself, a service or a server, is started again. Ctrl-C stops everything: what was accepted is finished, or goes on at the next start.
Exit code 0: stopped; 1: could not start; 2: wrong usage.
`;

export type Options = {
  readonly native: boolean;
  readonly config: string | undefined;
  readonly data: string;
  readonly port: number;
  readonly scale: Readonly<Partial<Record<ServiceName, number>>>;
};

/** Reads the command line; ends the program after --help and at wrong usage. */
export function readOptions(args: readonly string[] = process.argv.slice(2)): Options {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: {
        native: flag,
        config: text,
        data: { ...text, default: '.workledger' },
        port: { ...text, default: '8080' },
        scale: { ...text, multiple: true, default: [] },
        help: { ...flag, short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return {
      native: values.native === true,
      config: values.config,
      data: values.data,
      port: number(values.port, '--port', 0, 65_535),
      scale: Object.fromEntries(values.scale.map(scaleOf)),
    };
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function scaleOf(text: string): [ServiceName, number] {
  const [name, count = ''] = text.split('=');
  const service = serviceNames.find((known) => known === name);
  if (service === undefined) throw new Error(`--scale ${text}: use one of ${serviceNames.join(', ')}, such as sagas=2`);
  return [service, number(count, `--scale ${service}`, 1, 20)];
}

function number(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < least || value > most)
    throw new Error(`${option} ${text}: use a whole number from ${least} to ${most}`);
  return value;
}

type ChosenConfiguration = {
  readonly configuration: Configuration;
  /** Absolute. */
  readonly file: string;
  /** The demo can play here. */
  readonly isDemo: boolean;
};

/**
 * The user's configuration; where there is none, the demo's: its agents and repositories.
 * @param folder absolute: where the demo's configuration is written
 * @param demoFolder absolute: where the demo's repositories are
 */
export async function chooseConfiguration(
  path: string | undefined,
  folder: string,
  demoFolder: string,
): Promise<ChosenConfiguration> {
  const own = resolve(path ?? 'workledger.json');
  if (path !== undefined || existsSync(own)) {
    const { configuration } = await loadConfiguration(own);
    return { configuration, file: own, isDemo: false };
  }
  await webhookSecret(demoFolder);
  const configuration = standingConfiguration(demoFolder);
  const file = join(folder, 'workledger.json');
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(configuration, null, 2)}\n`);
  return { configuration, file, isDemo: true };
}
