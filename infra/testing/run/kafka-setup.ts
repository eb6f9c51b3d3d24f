import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startKafka } from '../../local/kafka/embedded-kafka.ts';

type Broker = { readonly brokers: string | null; stop(): Promise<void> };

/** Vitest loads this file once a project: what all projects share hangs on the process. */
const shared = globalThis as { workledgerTestKafka?: { started: Promise<Broker>; users: number } };

/**
 * Gives the tests a real Kafka: the one that WORKLEDGER_TEST_KAFKA_BROKERS names, else one of our own in a temporary folder,
 * once a run. Where Java or Maven is missing, one line says so and the tests that need it are skipped. A run of a few chosen
 * files that do not speak of Kafka starts none.
 * @throws Error where WORKLEDGER_REQUIRE=1 asks for Kafka and there is none
 */
export async function provideKafka(project: TestProject): Promise<() => Promise<void>> {
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
  const folder = await mkdtemp(join(tmpdir(), 'workledger-kafka-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const kafka = await startKafka({ folder, log: (line) => console.warn(line) });
    return { brokers: kafka.brokers, stop: () => kafka.stop().then(remove) };
  } catch (error) {
    await remove();
    if (process.env['WORKLEDGER_REQUIRE'] === '1') throw error;
    console.warn(`tests with Kafka are skipped: ${(error as Error).message}`);
    return { brokers: null, stop: () => Promise.resolve() };
  }
}
