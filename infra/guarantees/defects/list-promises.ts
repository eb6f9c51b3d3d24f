import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A defect, and in which tests of its promise it must be found: those whose name contains this; empty: any. */
export type Defect = { readonly name: string; readonly patch: string; readonly foundBy: string };

/** A promise, by the name of its test file, its defects, or both; null, or none: that one is missing. */
export type Promised = { readonly name: string; readonly test: string | null; readonly defects: readonly Defect[] };

const GUARANTEES = resolve(import.meta.dirname, '..');
const FOUND_BY = /^Found by: (.+)$/m;

/**
 * Every promise that has a test or a defect, in the order of the alphabet. Its defects are `<promise>.patch` and
 * `<promise>.<defect>.patch`.
 */
export async function listPromises(): Promise<Promised[]> {
  const tests = await namesIn(GUARANTEES, '.test.ts');
  const defects = await Promise.all((await namesIn(import.meta.dirname, '.patch')).sort().map(readDefect));
  const names = new Set([...tests, ...defects.map(promiseOf)]);
  return [...names].sort().map((name) => ({
    name,
    test: tests.includes(name) ? `infra/guarantees/${name}.test.ts` : null,
    defects: defects.filter((defect) => promiseOf(defect) === name),
  }));
}

async function readDefect(name: string): Promise<Defect> {
  const patch = join(import.meta.dirname, `${name}.patch`);
  const [heading = ''] = (await readFile(patch, 'utf8')).split(/^--- /m);
  return { name, patch, foundBy: FOUND_BY.exec(heading)?.[1]?.trim() ?? '' };
}

const promiseOf = ({ name }: Defect): string => name.split('.')[0]!;

const namesIn = async (folder: string, ending: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
