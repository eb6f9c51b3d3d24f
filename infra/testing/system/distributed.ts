import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type Client } from '@workledger/shared/client/client.ts';
import { createTestDatabase, type TestDatabase } from '../servers/database.ts';
import { kafkaBrokers } from '../servers/kafka.ts';
import { healthAt, type Engine, type Needs, type Part, type RunningSystem, type Settings } from './engine.ts';
import { storeOfProcesses } from './stores.ts';
import { embeddedPostgres } from '../servers/own-servers.ts';
import { afterFirstStart } from './first-start.ts';
import { openLog } from './logs.ts';
import { ownPartOf } from './own-streams.ts';
import { startLogServer, type LogServer } from '../servers/log-server.ts';
import { killAndWait, childrenOf, commandOf, freeze } from '../processes/processes.ts';
import { startService, type Service } from './service.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { isBrokerOn } from '../../local/kafka/broker-process.ts';

/**
 * Every service a process of its own; PostgreSQL, Kafka and the gateway as processes of this machine.
 * @param name as in `openLog`: where the log is
 */
export const distributedOn = (name: 'distributed' | 'eventstoredb'): Engine => ({
  name,
  calmMilliseconds: 2_000,
  start: async (settings = {}, { storage = 'own', scale = {} } = {}) => {
    const folder = await temporaryFolder(name);
    const logServer = name === 'eventstoredb' ? await startLogServer(name, '') : null;
    const shared = storage === 'shared' ? await createTestDatabase() : null;
    const system = await createSystem(folder, settings, { logServer, shared, scale });
    // Where the log is elsewhere, read models and checkpoints must be of that one.
    if (logServer === null && shared === null) await afterFirstStart('distributed', join(folder, 'data'));
    await system.restart().catch(async (error: unknown) => {
      await system.dispose();
      throw error;
    });
    return system;
  },
});

type Within = {
  readonly logServer: LogServer | null;
  /** Its database on the test run's server, and topics of its own in the run's Kafka; null: servers of its own. */
  readonly shared: TestDatabase | null;
  readonly scale: NonNullable<Needs['scale']>;
};

async function createSystem(
  folder: string,
  first: Settings,
  { logServer, shared, scale }: Within,
): Promise<RunningSystem> {
  const configuration = join(folder, 'workledger.json');
  const data = join(folder, 'data');
  const own = join(data, 'distributed');
  const postgres = embeddedPostgres(join(own, 'postgres'));
  const processes = distributedProcesses(own);
  let settings = first;
  let launcher: Service | undefined;
  let told = '';

  const databaseUrl = (): Promise<string> => (shared === null ? postgres.url() : Promise.resolve(shared.url));
  const servers: Record<string, string | undefined> =
    shared === null
      ? {
          JAVA_HOME: process.env['JAVA_HOME'],
          // A broker that lives for a minute is not worth the best translation of its code.
          JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1',
        }
      : {
          DATABASE_URL: shared.url,
          KAFKA_BROKERS: kafkaBrokers().join(','),
          KAFKA_TOPIC_PREFIX: new URL(shared.url).pathname.slice(1),
        };

  async function kill9(...parts: readonly Part[]): Promise<void> {
    if (shared !== null && parts.includes('storage')) throw new Error("these servers are not the system's own");
    const ours = parts.includes('service') ? processes.services(launcher?.processes() ?? []) : [];
    const stores = parts.includes('storage') ? [...(await postgres.processes()), ...processes.kafka()] : [];
    await killAndWait([...ours, ...stores]);
    if (parts.includes('service')) await launcher?.kill9();
  }

  return {
    parts: shared === null ? ['service', 'storage'] : ['service'],
    folder,
    stores: [
      ...(logServer?.store === undefined ? [] : [logServer.store]),
      // Those that are shared are nobody's to strike.
      ...(shared === null
        ? [
            storeOfProcesses(logServer === null ? 'event-log' : 'postgresql', postgres.processes, 'SIGINT'),
            storeOfProcesses('kafka', processes.kafka, 'SIGTERM'),
          ]
        : []),
    ],
    health: () => healthAt(urlOf(launcher, 'command-service')),
    client: await createOwnClient(logServer, {
      // Sagas send theirs past the gateway, which does not let them in.
      url: (path) => (path.includes('/service/') ? urlOf(launcher, 'command-service') : launcher?.url) ?? NOWHERE,
      key: async () => (await readFile(join(own, 'admin-key'), 'utf8')).trim(),
    }),
    kill9,
    stop: async () => launcher?.stop(),
    restart: async (changed = settings) => {
      settings = changed;
      await kill9('service');
      await writeFile(configuration, JSON.stringify({ logLevel: 'warn', ...settings }, null, 2));
      const native = shared === null ? ['--native'] : [];
      const many = Object.entries(scale).flatMap(([service, count]) => ['--scale', `${service}=${count}`]);
      const options = [...native, ...many, '--config', configuration, '--data', data, '--port', '0'];
      launcher = await startService('infra/local/distributed/start.ts', options, (text) => (told += text), {
        ...(logServer === null ? {} : { EVENTSTOREDB_URL: logServer.address }),
        ...servers,
      });
    },
    databaseUrl,
    openLog: async () =>
      logServer === null ? openLog['distributed']!(await databaseUrl()) : openLog['eventstoredb']!(logServer.address),
    errorOutput: () => told + processes.logged(),
    dispose: async () => {
      await (shared === null ? kill9('service', 'storage') : kill9('service'));
      await shared?.drop();
      await logServer?.stop();
      await removeFolder(folder);
    },
  };
}

const NOWHERE = 'http://127.0.0.1:1';

/** A service's own address, as the launcher told it. */
const urlOf = (launcher: Service | undefined, name: string): string | undefined =>
  new RegExp(`^${name} +(http\\S+)$`, 'm').exec(launcher?.told ?? '')?.[1];

/** Sees of a log that is not the system's alone what the system wrote. */
async function createOwnClient(
  logServer: LogServer | null,
  place: Parameters<typeof createClient>[0],
): Promise<Client> {
  const client = createClient(place);
  if (logServer === null) return client;
  const log = await openLog['eventstoredb']!(logServer.address);
  try {
    const ownPart = await ownPartOf(log);
    return { ...client, log: (after) => ownPart.log(client, after) };
  } finally {
    await log.close();
  }
}

/** The processes of a distributed system, as far as a test must reach them from outside. @param folder absolute: its data */
function distributedProcesses(folder: string): {
  /** Launcher, services and gateway; the launcher stands still from now on, so that it starts none anew. */
  services(launchers: readonly number[]): number[];
  kafka(): readonly number[];
  /** What all services have logged. */
  logged(): string;
} {
  return {
    services: (launchers) => {
      for (const launcher of launchers) freeze(launcher);
      return launchers.flatMap((launcher) => [
        ...childrenOf(launcher).filter((child) => !isStorage(commandOf(child))),
        launcher,
      ]);
    },
    kafka: () => {
      const pid = Number(read(join(folder, 'kafka', 'broker.pid')));
      return pid > 1 && isBrokerOn(join(folder, 'kafka'), pid) ? [pid] : [];
    },
    logged: () => {
      try {
        return readdirSync(join(folder, 'logs'))
          .map((file) => read(join(folder, 'logs', file)))
          .join('');
      } catch {
        return '';
      }
    },
  };
}

/** What kill -9 of a storage ends: databases and the bus; all other children of the launcher are services. */
const isStorage = (command: readonly string[]): boolean =>
  command.some((word) => /(^|\/)postgres$|^kafka\.Kafka$/.test(word)) || command[0]?.startsWith('postgres:') === true;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
