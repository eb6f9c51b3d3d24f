import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafka, type EmbeddedKafka } from '../../local/kafka/embedded-kafka.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../local/postgres/embedded-postgres.ts';
import { embeddedPostgres } from './embedded-postgres.ts';
import { killAndWait } from '../processes/processes.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

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
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
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
