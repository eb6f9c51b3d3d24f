import { join } from 'node:path';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { freePort } from '../free-port.ts';
import type { ServicePlan } from './service-process.ts';

/** What there is to run, with the port of its first instance. */
const SERVICES = {
  'command-service': { entry: 'command-service/main.ts', port: 8081 },
  'query-service': { entry: 'query-service/main.ts', port: 8082 },
  relay: { entry: 'command-service/relay/main.ts', port: 8083 },
  projections: { entry: 'projections/main.ts', port: 8084 },
  sagas: { entry: 'sagas/main.ts', port: 8085 },
  runner: { entry: 'sagas/runner/main.ts', port: 8086 },
} as const;

export type ServiceName = keyof typeof SERVICES;
export const serviceNames = Object.keys(SERVICES) as ServiceName[];
/** What `buildServices` must build. */
export const serviceEntries = serviceNames.map((name) => SERVICES[name].entry);

export type PlanOptions = {
  /** Absolute: each runner gets a data folder of its own below it. */
  readonly folder: string;
  readonly configurationFile: string;
  readonly configuration: Configuration;
  readonly adminKeyFile: string;
  readonly serviceKeyFile: string;
  readonly macKeyFile: string;
  /** With the secret that runners share with sagas. */
  readonly runnerKeyFile: string;
  /** Variables of the servers. */
  readonly servers: Readonly<Record<string, string>>;
  /** Addresses of the database with a service's own role; null: that of `servers`. */
  readonly databaseUrls: Readonly<Partial<Record<ServiceName, string>>> | null;
  /** Instances of each service; default: one. */
  readonly scale: Readonly<Partial<Record<ServiceName, number>>>;
  /** Where the first of each listens: at its known port where that is free, or at any that is. */
  readonly ports: 'known' | 'any';
  /** The absolute path of an entry's program. */
  readonly programOf: (entry: string) => string;
};

/** Every process to run, with a port that is free and no variable that it does not need. */
export async function planServices(options: PlanOptions): Promise<readonly ServicePlan[]> {
  const { folder, configuration, scale } = options;
  const instances = serviceNames.flatMap((service) =>
    Array.from({ length: scale[service] ?? 1 }, (_, index) => ({ service, index })),
  );
  const ports: number[] = [];
  for (const { service, index } of instances) {
    let port = await freePort(index === 0 && options.ports === 'known' ? SERVICES[service].port : 0);
    while (ports.includes(port)) port = await freePort();
    ports.push(port);
  }
  const urlAt = (place: number): string => `http://127.0.0.1:${ports[place]}`;
  const urlsOf = (name: ServiceName): string =>
    instances.flatMap(({ service }, place) => (service === name ? [urlAt(place)] : [])).join(',');

  return instances.map(({ service, index }, place) => {
    const name = scale[service] === undefined || scale[service] === 1 ? service : `${service}-${index + 1}`;
    return {
      name,
      entry: SERVICES[service].entry,
      program: options.programOf(SERVICES[service].entry),
      url: urlAt(place),
      folder,
      environment: {
        ...kept(['PATH', 'HOME', 'LANG', 'LOG_LEVEL']),
        ...(service !== 'runner' && options.servers),
        ...(options.databaseUrls?.[service] !== undefined && { DATABASE_URL: options.databaseUrls[service] }),
        PORT: String(ports[place]),
        WORKLEDGER_CONFIG: options.configurationFile,
        ...(service.endsWith('-service') && {
          KEY_MAC_FILE: options.macKeyFile,
          // The gateway is on this machine.
          TRUSTED_PROXIES: '127.0.0.1',
        }),
        ...((service === 'projections' || service === 'query-service') && kept(embeddingsVariable(configuration))),
        ...(service === 'command-service' && {
          ...kept(secretVariables(configuration)),
          ADMIN_KEY_FILE: options.adminKeyFile,
          SERVICE_KEY_FILE: options.serviceKeyFile,
          SAGAS_URL: urlsOf('sagas'),
        }),
        ...(service === 'query-service' && { COMMAND_SERVICE_URL: urlsOf('command-service') }),
        ...(service === 'sagas' && {
          COMMAND_SERVICE_URL: urlsOf('command-service'),
          SERVICE_KEY_FILE: options.serviceKeyFile,
          RUNNER_URL: urlsOf('runner'),
          RUNNER_KEY_FILE: options.runnerKeyFile,
        }),
        ...(service === 'runner' && {
          ...kept(configuration.agents.flatMap(({ environment }) => environment)),
          RUNNER_KEY_FILE: options.runnerKeyFile,
          DATA_FOLDER: join(folder, name),
        }),
      },
    };
  });
}

const secretVariables = ({ webhooks }: Configuration): string[] =>
  Object.values(webhooks)
    .flatMap((webhook) => webhook?.secrets ?? [])
    .flatMap((source) => ('env' in source ? [source.env] : []));

const embeddingsVariable = ({ embeddings }: Configuration): string[] =>
  embeddings?.key && 'env' in embeddings.key ? [embeddings.key.env] : [];

/** Of this process's variables those that are set. */
const kept = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
