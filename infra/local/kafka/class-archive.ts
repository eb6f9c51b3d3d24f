import { access, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classArchive, startBrokerProcess } from './broker-process.ts';
import { formatStorage } from './format-storage.ts';
import { propertiesFile } from './leftover-broker.ts';
import { choosePorts } from './ports.ts';
import { serverProperties } from './server-properties.ts';

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
