import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildServices } from '../../local/distributed/build-services.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const ROOMS = ['shared', 'command-service', 'projections', 'sagas', 'query-service', 'infra'];
const PROGRAM = /(\.program|\/main|^infra\/local\/.*\bstart)\.ts$/;

/** Builds the programs that tests start as processes of their own, where the sources stay as they are during the run. */
export async function providePrograms(project: TestProject): Promise<void> {
  if (project.vitest.config.watch) return;
  const entries = (await Promise.all(ROOMS.map(programsIn))).flat();
  const programOf = await buildServices(entries);
  process.env['WORKLEDGER_TEST_PROGRAMS'] = resolve(programOf('infra/local/start.ts'), '../../..');
}

async function programsIn(room: string): Promise<string[]> {
  const files = await readdir(join(ROOT, room), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)))
    .filter((path) => PROGRAM.test(path) && !path.includes('node_modules'));
}
