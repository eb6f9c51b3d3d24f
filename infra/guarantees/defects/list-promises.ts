import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A promise, by the name of its test file, its defect, or both; null: that one is missing. */
export type Promised = { readonly name: string; readonly test: string | null; readonly patch: string | null };

const GUARANTEES = resolve(import.meta.dirname, '..');

/** Every promise that has a test or a defect, in the order of the alphabet. */
export async function listPromises(): Promise<Promised[]> {
  const tests = await namesIn(GUARANTEES, '.test.ts');
  const patches = await namesIn(import.meta.dirname, '.patch');
  return [...new Set([...tests, ...patches])].sort().map((name) => ({
    name,
    test: tests.includes(name) ? `infra/guarantees/${name}.test.ts` : null,
    patch: patches.includes(name) ? join(import.meta.dirname, `${name}.patch`) : null,
  }));
}

const namesIn = async (folder: string, ending: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
