import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafka, type EmbeddedKafka, type EmbeddedKafkaOptions } from '../../local/kafka/embedded-kafka.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../local/postgres/embedded-postgres.ts';
import { killAndWait, childrenOf } from '../processes/processes.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';
import { afterEach } from 'vitest';
import { databaseName } from '../../local/postgres/initialise-cluster.ts';
import { isServerOn } from '../../local/postgres/server-process.ts';

/** A server on a folder of its own: killed or stopped, it starts again at the same address with what it kept. */
export type OwnServer = {
  address(): string;
  kill9(): Promise<void>;
  /** In order. */
  stop(): Promise<void>;
  start(): Promise<void>;
};

export type OwnServers = { readonly postgres: OwnServer; readonly kafka: OwnServer; dispose(): Promise<void> };

const log = (): void => undefined;

/** PostgreSQL, durable, and Kafka, of this test alone. */
export async function startServers(): Promise<OwnServers> {
  const folder = await temporaryFolder('relays');
  const places = { postgres: join(folder, 'postgres'), kafka: join(folder, 'kafka') };
  const postgres = ownServer<EmbeddedPostgres>({
    open: () => startEmbeddedPostgres({ folder: places.postgres, log }),
    addressOf: ({ url }) => url,
    processes: () => embeddedPostgres(places.postgres).processes(),
  });
  const kafka = ownServer<EmbeddedKafka>({
    open: () => startKafka({ folder: places.kafka, log }),
    addressOf: ({ brokers }) => brokers,
    processes: ({ pid }) => Promise.resolve([pid]),
  });
  const dispose = async (): Promise<void> => {
    await Promise.allSettled([postgres.stop(), kafka.stop()]);
    await removeFolder(folder);
  };
  try {
    await postgres.start();
    await kafka.start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return { postgres, kafka, dispose };
}

type Opening<Server> = {
  open(): Promise<Server>;
  addressOf(server: Server): string;
  processes(server: Server): Promise<readonly number[]>;
};

function ownServer<Server extends { stop(): Promise<void> }>({
  open,
  addressOf,
  processes,
}: Opening<Server>): OwnServer {
  let server: Server | undefined;
  let address = '';
  const stop = async (): Promise<void> => server?.stop();
  return {
    address: () => address,
    kill9: async () => {
      if (server !== undefined) await killAndWait(await processes(server));
      // It is dead: this frees its folder for the next one.
      await stop();
    },
    stop,
    start: async () => {
      server = await open();
      address = addressOf(server);
    },
  };
}

/** Temporary folders and brokers on them, cleared away after each test of the file. */
export function ownKafkas() {
  const folders: string[] = [];
  const started: Promise<EmbeddedKafka>[] = [];
  afterEach(async () => {
    // A test that took too long may still be starting one.
    for (const kafka of await Promise.allSettled(started.splice(0)))
      if (kafka.status === 'fulfilled') await kafka.value.stop();
    for (const folder of folders.splice(0)) await removeFolder(folder);
  });
  return {
    folder: async (): Promise<string> => {
      const folder = await temporaryFolder('kafka');
      folders.push(folder);
      return folder;
    },
    start: (folder: string, more: Partial<EmbeddedKafkaOptions> = {}): Promise<EmbeddedKafka> => {
      const kafka = startKafka({ folder, log: () => undefined, ...more });
      started.push(kafka);
      return kafka;
    },
  };
}

/** The PostgreSQL server of a data folder, as far as a test must reach it from outside. */
export function embeddedPostgres(folder: string): { url(): Promise<string>; processes(): Promise<readonly number[]> } {
  const cluster = async (): Promise<string> => {
    const elsewhere = await readFile(join(folder, 'location'), 'utf8').catch(() => '');
    return join(elsewhere.trim() || folder, 'cluster');
  };
  const lockFile = async (): Promise<string[]> =>
    (await readFile(join(await cluster(), 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');

  return {
    url: async () => {
      const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
      const port = (await lockFile())[3];
      return `postgres://${databaseName}:${password}@127.0.0.1:${port}/${databaseName}`;
    },
    processes: async () => {
      const pid = Number((await lockFile())[0]);
      return pid > 1 && isServerOn(await cluster(), pid) ? [pid, ...childrenOf(pid)] : [];
    },
  };
}
