import { randomBytes } from 'node:crypto';
import { access, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classArchive, javaArguments, startBrokerProcess, propertiesFile } from './broker-process.ts';
import { runProgram } from './java.ts';
import { choosePorts, serverProperties } from './server-properties.ts';

/**
 * Lets a broker of its own start and stop once, so that Java can keep what it learned about Kafka's classes beside the jars: every
 * later start takes half of the time. What goes wrong here is no reason not to start.
 * Source: https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
 */
export async function ensureClassArchive(java: string, jars: string, log: (line: string) => void): Promise<void> {
  if (await exists(classArchive(jars))) return;
  log('letting Java get to know Kafka (once)');
  const folder = await mkdtemp(join(jars, '..', '.learning-'));
  try {
    const ports = await choosePorts(folder, undefined);
    const data = join(folder, 'data');
    await writeFile(propertiesFile(folder), serverProperties(data, ports));
    await formatStorage(java, jars, folder, data);
    const learned = join(folder, 'classes.jsa');
    const broker = await startBrokerProcess({ java, jars, folder, port: ports.broker, learned });
    await broker.stop();
    await rename(learned, classArchive(jars));
  } catch (error) {
    log(`Kafka will start slowly: ${(error as Error).message}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Prepares an empty data folder for the broker; leaves a prepared one alone.
 * @throws Error in one line when Kafka's own tool refuses
 */
export async function formatStorage(java: string, jars: string, folder: string, data: string): Promise<void> {
  const formatted = await access(join(data, 'meta.properties')).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  const tool = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId()];
  const { ok, output } = await runProgram(
    java,
    [...javaArguments(jars), ...tool, '-c', propertiesFile(folder)],
    120_000,
  );
  if (!ok) throw new Error(`Kafka cannot prepare its data folder ${data}: ${output.split('\n').at(-1) ?? ''}`);
}

/** A UUID as Kafka writes it. One that starts with a dash would be taken for an option. */
const clusterId = (): string => `A${randomBytes(16).toString('base64url').slice(1)}`;
