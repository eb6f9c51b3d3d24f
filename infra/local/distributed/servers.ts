import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvironment, busVariables, logVariables } from '@workledger/shared/config/service-environment.ts';
import type { Closers } from '@workledger/shared/service/closers.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { databaseServices, makeDatabaseRoles, urlOf, type DatabaseService } from '../../docker/database-roles.ts';
import { startKafka, type EmbeddedKafka } from '../kafka/embedded-kafka.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/embedded-postgres.ts';

/** Where the services find their servers: variables that all of them get. */
type Servers = {
  readonly environment: Readonly<Record<string, string>>;
  /** Of each service, with a role of its own; null: all go by the environment's. */
  readonly databaseUrls: Readonly<Record<DatabaseService, string>> | null;
};

/** Kafka and PostgreSQL as processes of this machine; EventStoreDB only where EVENTSTOREDB_URL names one. */
export async function startNativeServers(
  folder: string,
  closers: Closers,
  say: (line: string) => void,
): Promise<Servers> {
  const { EVENTSTOREDB_URL } = readEnvironment({ EVENTSTOREDB_URL: logVariables.EVENTSTOREDB_URL });
  const [postgres, kafka] = await Promise.all([
    superviseServer<EmbeddedPostgres>(
      'PostgreSQL',
      (before) =>
        startEmbeddedPostgres({
          folder: join(folder, 'postgres'),
          log: say,
          ...(before !== null && { port: Number(new URL(before.url).port) }),
        }),
      closers,
      say,
    ),
    superviseServer<EmbeddedKafka>(
      'Kafka',
      (before) =>
        startKafka({
          folder: join(folder, 'kafka'),
          log: say,
          ...(before !== null && { port: Number(before.brokers.split(':')[1]) }),
        }),
      closers,
      say,
    ),
  ]);
  say(`PostgreSQL  127.0.0.1:${new URL(postgres.url).port}`);
  say(`Kafka       ${kafka.brokers}`);
  const roles = { ownerUrl: postgres.url, passwords: await keptPasswords(join(folder, 'postgres', 'role-passwords')) };
  await makeDatabaseRoles(roles);
  return {
    databaseUrls: eachService((service) => urlOf(service, roles)),
    environment: { KAFKA_BROKERS: kafka.brokers, ...eventLog(EVENTSTOREDB_URL, say) },
  };
}

const eachService = (make: (service: DatabaseService) => string): Record<DatabaseService, string> =>
  Object.fromEntries(databaseServices.map((service) => [service, make(service)])) as Record<DatabaseService, string>;

/** Made at random the first time; a role of a later version gets one when it is first asked for. */
async function keptPasswords(file: string): Promise<Readonly<Record<DatabaseService, string>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  const kept = JSON.parse(text) as Partial<Record<DatabaseService, string>>;
  const passwords = eachService((service) => kept[service] ?? randomBytes(24).toString('base64url'));
  await writeFile(`${file}.new`, `${JSON.stringify(passwords)}\n`, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
  return passwords;
}

/** Servers that run already. @throws ConfigurationError naming the variables that are not set, or go nowhere safe */
export function givenServers(say: (line: string) => void): Servers {
  const variables = { ...logVariables, ...busVariables };
  const { EVENTSTOREDB_URL } = readEnvironment(variables);
  const given = Object.keys(variables).flatMap((name) => {
    const value = process.env[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  eventLog(EVENTSTOREDB_URL, say);
  return { environment: Object.fromEntries(given), databaseUrls: null };
}

function eventLog(url: string | undefined, say: (line: string) => void): Record<string, string> {
  if (url === undefined) {
    say('Event log   in PostgreSQL, since EVENTSTOREDB_URL is not set');
    return {};
  }
  say('Event log   in EventStoreDB, as EVENTSTOREDB_URL says');
  return { EVENTSTOREDB_URL: url };
}

export type Server = {
  /** Resolves with how it ended. */
  readonly died: Promise<string>;
  /** Frees what it held; on one that has ended, too. */
  stop(): Promise<void>;
};

/** Milliseconds. */
const FIRST_PAUSE = 200;

/**
 * Starts a server, and again whenever it ends by itself: the services wait for it meanwhile.
 * @param start the first time without what came before; then with it, so that it comes back at its old address
 * @returns the first one @throws what the first start throws
 */
export async function superviseServer<Started extends Server>(
  name: string,
  start: (before: Started | null) => Promise<Started>,
  closers: Closers,
  say: (line: string) => void,
): Promise<Started> {
  const stopping = new AbortController();
  const first = await start(null);
  let current = first;

  async function startAgain(): Promise<void> {
    await pause(FIRST_PAUSE, stopping.signal);
    const again = await keepTrying(() => start(first), {
      signal: stopping.signal,
      shortest: 2 * FIRST_PAUSE,
      longest: 10_000,
      onFailed: (error) => say(`${name} does not start: ${oneLine(error)}`),
    });
    current = again ?? current;
  }

  async function watch(): Promise<void> {
    for (;;) {
      const how = await Promise.race([current.died, untilAborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      say(`${name} has ended (${how}), is started again`);
      await current.stop().catch((error: unknown) => say(`${name}: ${oneLine(error)}`));
      await startAgain();
    }
  }

  const watching = watch();
  closers.add(async () => {
    stopping.abort();
    await watching;
    await current.stop();
  });
  return first;
}

const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
