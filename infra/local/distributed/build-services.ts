import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, stop, version, type BuildOptions, type OutputFile, type Plugin } from 'esbuild';
import { IMPORT } from './run-built.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** Below the installed packages, so that what stays outside of the files is found. */
const CACHE = join(ROOT, 'node_modules/.cache/workledger-services');
const OURS = '@workledger/';

/** What a build was made of, by the content of each file, and where it is kept. */
type BuildRecord = { readonly folder: string; readonly sources: Readonly<{ [path: string]: string }> };

/**
 * Packages that go into the files, with all that they need: to find and read their many files takes a process half of its start.
 * Packages that read files beside their own stay outside.
 */
const INLINED =
  /^(@marcbachmann\/cel-js|@opentelemetry\/api|ajv|express|graphile-worker|helmet|jose|kafkajs|knex|lru-cache|node-diff3|opossum|pg|pino|uuid|ws|zod)(\/|$)/;
/** What those packages would take if it were asked for: nobody here does. */
const NOT_USED =
  /^(better-sqlite3|bufferutil|mariadb|mysql2?|oracledb|pg-native|pg-query-stream|sqlite3|tedious|typescript|utf-8-validate)(\/|$)/;
/** What packages of the older kind take for given. */
const BANNER = `import { createRequire as workledgerCreateRequire } from 'node:module';
const require = workledgerCreateRequire(import.meta.url);
const __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/** What starts a process of the system: a file of its own, without an `await` at its top, run by `run-built.ts`. */
const ROOT_OF_PROCESS = /(^|\/)(main|start)\.ts$/;
const RUN_BUILT = 'infra/local/distributed/run-built.ts';

/**
 * Puts each entry point, all that it imports of ours and most packages into plain files: five processes that start at once
 * would else each find, translate and read some thousand files. Takes some seconds, and next to nothing while the sources stay the
 * same; the same sources give the same folder, whoever asks at the same time.
 * @param entries below the repository's root, such as `sagas/main.ts`
 * @returns the absolute path of the program of an entry
 */
export async function buildServices(entries: readonly string[]): Promise<(entry: string) => string> {
  const entryPoints = [...new Set(entries)].sort();
  const record = join(CACHE, `${shortHash([ROOT, version, ...entryPoints].join('\n'))}.json`);
  const folder = (await recorded(record)) ?? (await buildAndRecord(entryPoints, record));
  return (entry) => join(folder, programName(entry, '.js'));
}

const programName = (entry: string, extension: string): string => entry.replace(/\.ts$/, extension);

async function buildAndRecord(entries: readonly string[], record: string): Promise<string> {
  const roots = entries.filter((entry) => ROOT_OF_PROCESS.test(entry));
  const others = entries.filter((entry) => !ROOT_OF_PROCESS.test(entry));
  const built = await Promise.all([
    build({ ...rulesOf('cjs'), entryPoints: [RUN_BUILT, ...roots], outExtension: { '.js': '.cjs' } }),
    build({ ...rulesOf('esm'), entryPoints: others, splitting: true, banner: { js: BANNER } }),
  ]).finally(() => void stop());
  const folder = await keep([...built.flatMap(({ outputFiles }) => outputFiles), ...roots.map(starterOf)]);
  const sources = await hashSources(built.flatMap(({ metafile }) => Object.keys(metafile.inputs)));
  const content = JSON.stringify({ folder, sources } satisfies BuildRecord);
  await writeWhole(record, (unfinished) => writeFile(unfinished, content));
  await noteUse(folder);
  await removeUnused();
  return folder;
}

/** An `import()` of what is no source of ours: neither a type, nor text of a program that is made. */
const IMPORT_FROM_OUTSIDE = /(?<!typeof |[<:|&] ?)\bimport\((?!\$\{|['"](?:\.|@workledger\/))/g;

type BuiltFile = Pick<OutputFile, 'path' | 'contents'>;

function starterOf(root: string): BuiltFile {
  const path = join(CACHE, programName(root, '.js'));
  const from = (file: string): string => JSON.stringify(relative(dirname(path), join(CACHE, file)));
  const [runBuilt, body] = [from(programName(RUN_BUILT, '.cjs')), from(programName(root, '.cjs'))];
  const text = `const { join } = require('node:path');\nrequire(join(__dirname, ${runBuilt})).runBuilt(join(__dirname, ${body}));\n`;
  return { path, contents: Buffer.from(text) };
}

const somePackagesStayOutside: Plugin = {
  name: 'some-packages-stay-outside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
      const isInside = path.startsWith(OURS) || INLINED.test(path) || importer.includes('/node_modules/');
      return kind === 'entry-point' || (isInside && !NOT_USED.test(path)) ? undefined : { path, external: true };
    }),
};

/** Each process would read the map of all that it loads: the packages' part is the largest, and tells nobody anything. */
const packagesNeedNoMap: Plugin = {
  name: 'packages-need-no-map',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => ({
      loader: 'js',
      contents: `${await readFile(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${NO_MAP}`,
    })),
};
const NO_MAP = Buffer.from('{"version":3,"sources":[""],"mappings":"A"}').toString('base64');

/** What lies beside a source is looked for there, and not beside the built file. */
const sourcesKnowTheirPlace = (format: Format): Plugin => ({
  name: 'sources-know-their-place',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = (await readFile(path, 'utf8')).replace(
        /\bimport\.meta\.(url|filename|dirname)\b/g,
        (_, name: string) =>
          JSON.stringify(name === 'url' ? pathToFileURL(path).href : name === 'filename' ? path : dirname(path)),
      );
      const isRun = format === 'cjs' && !path.endsWith(RUN_BUILT);
      return { loader: 'ts', contents: isRun ? text.replace(IMPORT_FROM_OUTSIDE, `${IMPORT}(`) : text };
    }),
});

type Format = 'cjs' | 'esm';

const rulesOf = (format: Format) =>
  ({
    format,
    absWorkingDir: ROOT,
    outbase: ROOT,
    outdir: CACHE,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // Who wants places in the sources says so (`--enable-source-maps`).
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
    plugins: [somePackagesStayOutside, packagesNeedNoMap, sourcesKnowTheirPlace(format)],
    write: false,
    metafile: true,
    logLevel: 'silent',
  }) satisfies BuildOptions;

/** The folder of a build whose sources are what they were; null: there is none. */
async function recorded(record: string): Promise<string | null> {
  try {
    const { folder, sources } = JSON.parse(await readFile(record, 'utf8')) as BuildRecord;
    await Promise.all([noteUse(folder), touch(record)]);
    const paths = Object.keys(sources);
    const hashes = await Promise.all(paths.map(hashFile));
    return paths.every((path, index) => hashes[index] === sources[path]) ? folder : null;
  } catch {
    return null;
  }
}

/** The rules of the build count as a source, too, and for all packages what was locked. */
async function hashSources(inputs: readonly string[]): Promise<BuildRecord['sources']> {
  const ours = inputs.filter((path) => !path.includes('node_modules/'));
  const paths = [...new Set([...ours, 'package-lock.json', relative(ROOT, import.meta.filename)])];
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await hashFile(path)] as const)));
}

const hashFile = async (path: string): Promise<string> => shortHash(await readFile(join(ROOT, path)));
const shortHash = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

/** Under a name that its content gives. */
async function keep(files: readonly BuiltFile[]): Promise<string> {
  const folder = join(CACHE, shortHash(files.map(({ path, contents }) => `${path} ${shortHash(contents)}\n`).join('')));
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  await writeWhole(folder, async (unfinished) => {
    for (const { path, contents } of files) {
      const file = join(unfinished, relative(CACHE, path));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, contents);
    }
  });
  return folder;
}

const USED_BY = 'used-by-';
const UNUSED_MILLISECONDS = 3 * 86_400_000;

/** @throws Error: it is not there any more */
async function noteUse(folder: string): Promise<void> {
  await touch(folder);
  await writeFile(join(folder, `${USED_BY}${process.pid}`), '');
}

const touch = (path: string): Promise<void> => utimes(path, new Date(), new Date());

/** Removes what nobody has asked for in days, but for what a running process would start programs of again. */
async function removeUnused(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    const users = await readdir(path).catch(() => []);
    const isUsed = users.some((user) => user.startsWith(USED_BY) && isRunning(Number(user.slice(USED_BY.length))));
    // Another process may remove it at the same time.
    const usedAt = await stat(path).then(({ mtimeMs }) => mtimeMs, Date.now);
    if (usedAt < Date.now() - UNUSED_MILLISECONDS && !isUsed) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whole or not there at all: who comes second at the same time finds what the first has written. */
async function writeWhole(path: string, write: (unfinished: string) => Promise<void>): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, '.building-'));
  try {
    const unfinished = join(folder, 'whole');
    await write(unfinished);
    await rename(unfinished, path).catch(async (error: unknown) => {
      await access(path).catch(() => Promise.reject(error as Error));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
