import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkMaven, runProgram } from './java.ts';

const pom = fileURLToPath(new URL('pom.xml', import.meta.url));
const cache = fileURLToPath(new URL('../../../.workledger/kafka/', import.meta.url));

/**
 * The folder with Kafka's jars; the first call fetches them with Maven. Whole or not there at all: they are put together in a
 * folder beside it, so two processes at once only do the same work twice.
 * @throws Error in one line when Maven is missing or cannot fetch them
 */
export async function kafkaJars(log: (line: string) => void): Promise<string> {
  const version = await kafkaVersion();
  const folder = join(cache, version);
  if (await exists(folder)) return folder;
  await checkMaven();
  log(`fetching Kafka ${version} with Maven (about 60 MB, once)`);
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, '.fetching-'));
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`];
    const { ok, output } = await runProgram('mvn', ['-q', '-B', '-f', pom, ...goal], 600_000);
    if (!ok) throw new Error(`Maven could not fetch Kafka ${version}: ${firstError(output)}`);
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  log(`Kafka ${version} is in ${folder}`);
  return folder;
}

async function kafkaVersion(): Promise<string> {
  const version = /kafka_2\.13<\/artifactId>\s*<version>([\d.]+)</.exec(await readFile(pom, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${pom} names no version of kafka_2.13`);
  return version;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const firstError = (output: string): string =>
  output
    .split('\n')
    .find((line) => line.includes('ERROR'))
    ?.replace(/^\[ERROR\]\s*/, '') ?? output.slice(0, 300);
