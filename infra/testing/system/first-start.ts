import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { runProgram } from '../processes/run-program.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';
import { startService } from './service.ts';

const CACHE = resolve(import.meta.dirname, '../../../node_modules/.cache/workledger-first-starts');
const STARTERS = {
  embedded: { program: 'infra/local/start.ts', options: [], configuration: { port: 0 } },
  distributed: { program: 'infra/local/distributed/start.ts', options: ['--native', '--port', '0'], configuration: {} },
} as const;
/** What a data folder says of where its servers listened, and of who holds it: a copy finds ports of its own. */
const OF_ITS_OWN = ['postgres/port', 'postgres/lock.1', 'kafka/ports.json', 'kafka/lock.1', 'logs'];

const kept = new Map<string, Promise<string>>();

/**
 * Fills a data folder with what a first start leaves there: an initialised PostgreSQL, migrated, and Kafka with its topics. A
 * first start takes three times as long as a later one; tests that are not about it begin with a copy. Does nothing where the
 * programs of this run were not built.
 * @param data the data folder, absolute, not there yet
 */
export async function afterFirstStart(kind: keyof typeof STARTERS, data: string): Promise<void> {
  const programs = process.env['WORKLEDGER_TEST_PROGRAMS'];
  if (programs === undefined) return;
  const name = `${kind}-${basename(programs)}`;
  if (!kept.has(name)) kept.set(name, keep(kind, name));
  await copy((await kept.get(name))!, data);
}

async function keep(kind: keyof typeof STARTERS, name: string): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const scratch = await temporaryFolder('first-start');
  try {
    const data = join(scratch, 'data');
    const { program, options, configuration } = STARTERS[kind];
    const file = join(scratch, 'workledger.json');
    await writeFile(file, JSON.stringify(configuration));
    const { JAVA_HOME } = process.env;
    const service = await startService(program, [...options, '--config', file, '--data', data], ignore, { JAVA_HOME });
    await service.stop();
    const parts = kind === 'embedded' ? data : join(data, 'distributed');
    for (const part of OF_ITS_OWN) await rm(join(parts, part), { recursive: true, force: true });
    const unfinished = join(await mkdtemp(join(CACHE, '.making-')), 'whole');
    await copy(data, unfinished);
    // Another worker may have been faster.
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await removeFolder(scratch);
  }
}

const ignore = (): void => undefined;

/** With owners, modes and holes: PostgreSQL's files are its user's. */
async function copy(from: string, to: string): Promise<void> {
  const { exitCode, errors } = await runProgram('cp', ['-a', from, to], '/');
  if (exitCode !== 0) throw new Error(`cannot copy ${from}: ${errors.trim()}`);
}
