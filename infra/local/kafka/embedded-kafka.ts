import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockDataFolder } from '../postgres/data-folder-lock.ts';
import {
  BrokerDidNotStart,
  startBrokerProcess,
  type BrokerProcess,
  pidFile,
  propertiesFile,
  stopLeftoverBroker,
} from './broker-process.ts';
import { ensureClassArchive, formatStorage } from './first-start.ts';
import { findJava, kafkaJars } from './java.ts';
import { choosePorts, rememberPorts, serverProperties } from './server-properties.ts';

export type EmbeddedKafka = {
  /** `host:port`, for clients. */
  readonly brokers: string;
  readonly pid: number;
  /** Resolves when the broker has ended without `stop`, with how. */
  readonly died: Promise<string>;
  /** Stops it in order and frees the folder. Call it as often as you like. */
  stop(): Promise<void>;
};

export type EmbeddedKafkaOptions = {
  /** Where everything is kept: data, settings, ports, log. Made when missing. */
  readonly folder: string;
  /** Port at 127.0.0.1; default: last time's, else a free one. */
  readonly port?: number;
  readonly log: (line: string) => void;
  /** Settings of the broker beside those that Workledger needs, by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>;
};

/**
 * Starts Kafka (one node, KRaft) on a data folder: the first time or after any crash. Needs Java 17, and Maven the first time.
 * @throws Error in one line (what, where, how to mend) when Java or Maven is missing, the folder is in use, the port is taken, or
 * the broker does not start
 */
export async function startKafka(options: EmbeddedKafkaOptions): Promise<EmbeddedKafka> {
  const java = await findJava();
  // Java knows its classes again only under the same path.
  const jars = await realpath(await kafkaJars(options.log));
  await ensureClassArchive(java, jars, options.log);
  await mkdir(options.folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `cannot write to the data folder ${options.folder} (${error.code}): make it writable, or choose another`,
    );
  });
  const folder = await realpath(options.folder);
  const unlock = await lockDataFolder(folder);
  try {
    await stopLeftoverBroker(folder, options.log);
    const { broker, port } = await startOnSomePorts(options, { java, jars, folder });
    return running(broker, port, async () => {
      await rm(pidFile(folder), { force: true });
      await unlock();
    });
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Another program may take a free port first; a killed broker may hold its data a moment longer. */
async function startOnSomePorts(
  options: EmbeddedKafkaOptions,
  { java, jars, folder }: { java: string; jars: string; folder: string },
): Promise<{ broker: BrokerProcess; port: number }> {
  const data = join(folder, 'data');
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(folder, options.port);
    await writeFile(propertiesFile(folder), serverProperties(data, ports, options.settings), { mode: 0o600 });
    await formatStorage(java, jars, folder, data);
    try {
      const broker = await startBrokerProcess({ java, jars, folder, port: ports.broker });
      await rememberPorts(folder, ports);
      return { broker, port: ports.broker };
    } catch (error) {
      const passing = /Address already in use|BindException|Failed to acquire lock/;
      if (!(error instanceof BrokerDidNotStart && passing.test(error.output)) || attempt === 10) throw error;
      await sleep(300);
    }
  }
}

function running(broker: BrokerProcess, port: number, release: () => Promise<void>): EmbeddedKafka {
  let stopping: Promise<void> | undefined;
  return {
    brokers: `127.0.0.1:${port}`,
    pid: broker.pid,
    died: broker.ended.then((how) => (stopping === undefined ? how : new Promise<never>(() => undefined))),
    stop: () => (stopping ??= broker.stop().then(release)),
  };
}
