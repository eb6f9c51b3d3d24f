import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { javaArguments } from './broker-process.ts';
import { propertiesFile } from './leftover-broker.ts';
import { runProgram } from './run-program.ts';

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
