import type { TestProject } from 'vitest/node';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { startKafka } from '../../local/kafka/embedded-kafka.ts';
import { startEmbeddedPostgres } from '../../local/postgres/embedded-postgres.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';
import { buildServices } from '../../local/distributed/build-services.ts';
import { sources } from './sources.ts';

/** The servers of a test run, started side by side, and the programs. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await Promise.allSettled([
    providePostgres(project),
    provideKafka(project),
    providePrograms(project).then(() => () => Promise.resolve()),
  ]);
  const stop = async (): Promise<void> => {
    for (const server of started) if (server.status === 'fulfilled') await server.value();
  };
  const failure = started.find(({ status }) => status === 'rejected');
  if (failure?.status !== 'rejected') return stop;
  await stop();
  throw failure.reason;
}

type Server = { readonly url: string; stop(): Promise<void> };
type Broker = { readonly brokers: string | null; stop(): Promise<void> };
type Used<Started> = { readonly started: Promise<Started>; users: number };

/** Vitest loads this file once a project: what all projects share hangs on the process. */
const shared = globalThis as { workledgerTestKafka?: Used<Broker>; workledgerTestServer?: Used<Server> };

/**
 * Gives the tests a real Kafka: the one that WORKLEDGER_TEST_KAFKA_BROKERS names, else one of our own in a temporary folder,
 * once a run. Where Java or Maven is missing, one line says so and the tests that need it are skipped. A run of a few chosen
 * files that do not speak of Kafka starts none.
 * @throws Error where WORKLEDGER_REQUIRE=1 asks for Kafka and there is none
 */
async function provideKafka(project: TestProject): Promise<() => Promise<void>> {
  if (!(await isAskedFor(project))) {
    project.provide('kafkaBrokers', null);
    return () => Promise.resolve();
  }
  const kafka = (shared.workledgerTestKafka ??= { started: findBroker(), users: 0 });
  kafka.users++;
  project.provide('kafkaBrokers', (await kafka.started).brokers);
  return async () => {
    if (--kafka.users === 0) await (await kafka.started).stop();
  };
}

async function isAskedFor(project: TestProject): Promise<boolean> {
  const { filenamePattern = [] } = project.vitest as { filenamePattern?: string[] };
  if (filenamePattern.length === 0 || process.env['WORKLEDGER_REQUIRE'] === '1') return true;
  const { testFiles } = await project.globTestFiles(filenamePattern);
  const texts = await Promise.all(testFiles.map((file) => readFile(file, 'utf8')));
  const asks = process.env['WORKLEDGER_ENGINES'] === 'embedded' ? /kafka/i : /kafka|portEngines|storage: 'shared'/i;
  return texts.some((text) => asks.test(text));
}

async function findBroker(): Promise<Broker> {
  const given = process.env['WORKLEDGER_TEST_KAFKA_BROKERS'];
  if (given !== undefined) return { brokers: given, stop: () => Promise.resolve() };
  const folder = await temporaryFolder('kafka');
  try {
    const kafka = await startKafka({ folder, log: (line) => console.warn(line) });
    return { brokers: kafka.brokers, stop: () => kafka.stop().then(() => removeFolder(folder)) };
  } catch (error) {
    await removeFolder(folder);
    if (process.env['WORKLEDGER_REQUIRE'] === '1') throw error;
    console.warn(`tests with Kafka are skipped: ${(error as Error).message}`);
    return { brokers: null, stop: () => Promise.resolve() };
  }
}

/**
 * Gives the tests a PostgreSQL server as a superuser: the one that WORKLEDGER_TEST_DATABASE_URL names, else one of our own
 * in a temporary folder, once a run. It does not sync to disk: tests about crashes start a durable server themselves.
 */
async function providePostgres(project: TestProject): Promise<() => Promise<void>> {
  const server = (shared.workledgerTestServer ??= { started: findServer(), users: 0 });
  server.users++;
  project.provide('databaseUrl', (await server.started).url);
  return async () => {
    if (--server.users === 0) await (await server.started).stop();
  };
}

async function findServer(): Promise<Server> {
  const given = process.env['WORKLEDGER_TEST_DATABASE_URL'];
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() };
  const folder = await temporaryFolder('test');
  const settings = { max_connections: 300, fsync: 'off', full_page_writes: 'off' };
  const server = await startEmbeddedPostgres({ folder, log: (line) => console.warn(line), settings });
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      await removeFolder(folder);
    },
  };
}

const PROGRAM = /(\.program|\/main|^infra\/local\/.*\bstart)\.ts$/;

/** Builds the programs that tests start as processes of their own, where the sources stay as they are during the run. */
async function providePrograms(project: TestProject): Promise<void> {
  if (project.vitest.config.watch) return;
  const entries = (await sources()).filter((path) => PROGRAM.test(path));
  const programOf = await buildServices(entries);
  process.env['WORKLEDGER_TEST_PROGRAMS'] = resolve(programOf('infra/local/start.ts'), '../../..');
}
