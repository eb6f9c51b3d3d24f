import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const OLDEST = 17;
const HOW = 'on Debian: `apt install openjdk-17-jre-headless maven`; or name a Kafka of your own in KAFKA_BROKERS';

/**
 * The program `java`: of JAVA_HOME, else the one on the PATH.
 * @throws Error in one line when there is none, or it is too old for Kafka
 */
export async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const { missing, output } = await runProgram(java, ['-version'], 30_000);
  if (missing) throw new Error(`Kafka needs Java ${OLDEST} or newer, and there is no ${java}: ${HOW}`);
  const version = Number(/version "(?:1\.)?(\d+)/.exec(output)?.[1]);
  if (!(version >= OLDEST))
    throw new Error(`Kafka needs Java ${OLDEST} or newer, and ${java} says: ${output.split('\n')[0] ?? ''}; ${HOW}`);
  return java;
}

/** @throws Error in one line when Maven is missing */
async function checkMaven(): Promise<void> {
  const { missing } = await runProgram('mvn', ['--version'], 30_000);
  if (missing) throw new Error(`Kafka's jars are fetched by Maven, and there is no mvn on the PATH: ${HOW}`);
}

type ProgramOutcome = {
  readonly ok: boolean;
  /** Standard output and standard error. */
  readonly output: string;
  /** There is no such program. */
  readonly missing: boolean;
};

const passedOn = ['PATH', 'HOME', 'LANG', 'JAVA_HOME', 'JAVA_TOOL_OPTIONS', 'MAVEN_OPTS', 'MAVEN_ARGS'];

/** What a program of Java gets of our environment: no secret of ours. */
export const javaEnvironment = (): Record<string, string> =>
  Object.fromEntries(passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

/**
 * Runs a program to its end without a shell and keeps what it printed.
 * @param timeout milliseconds
 */
export function runProgram(program: string, args: readonly string[], timeout: number): Promise<ProgramOutcome> {
  return new Promise((resolve) => {
    const options = { env: javaEnvironment(), timeout, maxBuffer: 10_000_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const reason = error === null || stdout + stderr !== '' ? '' : error.message;
      resolve({
        ok: error === null,
        output: `${stdout}${stderr}${reason}`.trim(),
        missing: error !== null && 'code' in error && error.code === 'ENOENT',
      });
    });
  });
}

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
