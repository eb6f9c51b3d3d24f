import { isAscii } from 'node:buffer';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { Script } from 'node:vm';

/** After so long a process has used most of what it will ever use. */
const USED_MILLISECONDS = 3_000;

/** What V8 has kept does not know how to import: `IMPORT` does it for it. */
export const IMPORT = 'workledgerImport';
const PREFIX = `(function (exports, require, module, __filename, __dirname, ${IMPORT}) {`;
type Wrapped = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  file: string,
  folder: string,
  load: (specifier: string) => Promise<unknown>,
) => void;

/**
 * Runs a program of one file as Node runs a CommonJS module, but with what V8 made of it when it ran before: to translate three
 * megabytes takes a process most of its start. The first process of a program keeps it for the others, beside the file.
 * @param file absolute; what it was built of is told by `<file>.map`, which is read where `--enable-source-maps` asks for it
 */
export function runBuilt(file: string): void {
  tellWhereWeRun();
  const kept = `${file}.${process.version}-${process.arch}`;
  const cachedData = readIfThere(kept);
  const script = new Script(`${PREFIX}${textOf(readFileSync(file))}\n})`, {
    filename: file,
    columnOffset: -PREFIX.length,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  if (process.execArgv.includes('--enable-source-maps')) tellPlacesInSources(file);
  const module = { exports: {} };
  const run = script.runInThisContext() as Wrapped;
  run(module.exports, createRequire(file), module, file, dirname(file), (specifier) => import(specifier));
  if (script.cachedDataRejected !== false)
    setTimeout(() => keep(kept, script.createCachedData()), USED_MILLISECONDS).unref();
}

/** As newer Nodes do. Where nobody does, pg asks `Response` whether this is somebody's cloud, and that loads all of fetch. */
function tellWhereWeRun(): void {
  if ('navigator' in globalThis) return;
  const userAgent = `Node.js/${process.version.slice(1).split('.')[0]}`;
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent }, configurable: true, writable: true });
}

/** A text of one byte a character is read in no time. */
const textOf = (bytes: Buffer): string => bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Whole or not at all. Where it cannot be written, each process translates for itself. */
function keep(path: string, made: Buffer): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, made);
    renameSync(unfinished, path);
  } catch {
    // The program runs without it.
  }
}

/** Node maps only what it has loaded itself. The map is read with the first stack that is. */
function tellPlacesInSources(file: string): void {
  let map: SourceMap | null | undefined;
  const openMap = (): SourceMap | null => {
    const text = readIfThere(`${file}.map`)?.toString('utf8');
    return text === undefined ? null : new SourceMap(JSON.parse(text) as ConstructorParameters<typeof SourceMap>[0]);
  };
  const placeOf = (site: NodeJS.CallSite): string => {
    const told = (site as { toString(): string }).toString();
    const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
    if (site.getFileName() !== file || line === null || column === null) return told;
    if (map === undefined) map = openMap();
    const origin = map?.findEntry(line - 1, column - 1);
    if (origin === undefined || !('originalSource' in origin)) return told;
    const source = resolve(dirname(file), origin.originalSource);
    const place = `${source}:${origin.originalLine + 1}:${origin.originalColumn + 1}`;
    return told.replace(`${file}:${line}:${column}`, () => place);
  };
  Error.prepareStackTrace = (error, sites) =>
    [String(error), ...sites.map((site) => `    at ${placeOf(site)}`)].join('\n');
}
