import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const ROOMS = ['shared', 'command-service', 'projections', 'sagas', 'query-service', 'infra'];

/** Paths of all files of the rooms, below the repository's root; what is installed there is none of theirs. */
export const sources = async (): Promise<string[]> => (await Promise.all(ROOMS.map(sourcesIn))).flat();

async function sourcesIn(room: string): Promise<string[]> {
  const files = await readdir(join(ROOT, room), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)))
    .filter((path) => !path.includes('node_modules'));
}
