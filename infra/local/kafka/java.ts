import { join } from 'node:path';
import { runProgram } from './run-program.ts';

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
export async function checkMaven(): Promise<void> {
  const { missing } = await runProgram('mvn', ['--version'], 30_000);
  if (missing) throw new Error(`Kafka's jars are fetched by Maven, and there is no mvn on the PATH: ${HOW}`);
}
