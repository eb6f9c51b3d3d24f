import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, stop, version, type Metafile, type OutputFile, type Plugin } from 'esbuild';

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
const INLINED = /^(express|graphile-worker|kafkajs|knex|opossum|pg|zod)(\/|$)/;
/** What those packages would take if it were asked for: nobody here does. */
const NOT_USED =
  /^(better-sqlite3|mariadb|mysql2?|oracledb|pg-native|pg-query-stream|sqlite3|tedious|typescript)(\/|$)/;
/** What packages of the older kind take for given. */
const BANNER = `import { createRequire as workledgerCreateRequire } from 'node:module';
const require = workledgerCreateRequire(import.meta.url);
const __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/**
 * Puts each entry point, all that it imports of ours and most packages into plain files: five processes that start at once
 * would else each find, translate and read some thousand files. Takes a second, and next to nothing while the sources stay the
 * same; the same sources give the same folder, whoever asks at the same time.
 * @param entries below the repository's root, such as `sagas/main.ts`
 * @returns the absolute path of the program of an entry
 */
export async function buildServices(entries: readonly string[]): Promise<(entry: string) => string> {
  const entryPoints = [...new Set(entries)].sort();
  const record = join(CACHE, `${shortHash([ROOT, version, ...entryPoints].join('\n'))}.json`);
  const folder = (await recorded(record)) ?? (await buildAndRecord(entryPoints, record));
  return (entry) => join(folder, entry.replace(/\.ts$/, '.js'));
}

async function buildAndRecord(entryPoints: readonly string[], record: string): Promise<string> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...entryPoints],
    outbase: ROOT,
    outdir: CACHE,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Who wants places in the sources says so (`--enable-source-maps`), and pays with a tenth of the start.
    sourcemap: 'linked',
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: BANNER },
    plugins: [somePackagesStayOutside, packagesNeedNoMap, sourcesKnowTheirPlace],
    write: false,
    metafile: true,
    logLevel: 'silent',
  }).finally(() => void stop());
  const folder = await keep(outputFiles);
  const sources = await hashSources(metafile);
  const content = JSON.stringify({ folder, sources } satisfies BuildRecord);
  await writeWhole(record, (unfinished) => writeFile(unfinished, content));
  return folder;
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
const sourcesKnowTheirPlace: Plugin = {
  name: 'sources-know-their-place',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      loader: 'ts',
      contents: (await readFile(path, 'utf8')).replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, name: string) =>
        JSON.stringify(name === 'url' ? pathToFileURL(path).href : name === 'filename' ? path : dirname(path)),
      ),
    })),
};

/** The folder of a build whose sources are what they were; null: there is none. */
async function recorded(record: string): Promise<string | null> {
  try {
    const { folder, sources } = JSON.parse(await readFile(record, 'utf8')) as BuildRecord;
    await access(folder);
    const paths = Object.keys(sources);
    const hashes = await Promise.all(paths.map(hashFile));
    return paths.every((path, index) => hashes[index] === sources[path]) ? folder : null;
  } catch {
    return null;
  }
}

/** The rules of the build count as a source, too, and for all packages what was locked. */
async function hashSources({ inputs }: Metafile): Promise<BuildRecord['sources']> {
  const ours = Object.keys(inputs).filter((path) => !path.includes('node_modules/'));
  const paths = [...ours, 'package-lock.json', relative(ROOT, import.meta.filename)];
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await hashFile(path)] as const)));
}

const hashFile = async (path: string): Promise<string> => shortHash(await readFile(join(ROOT, path)));
const shortHash = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

/** Under a name that its content gives. */
async function keep(files: readonly OutputFile[]): Promise<string> {
  const folder = join(CACHE, shortHash(files.map(({ path, hash }) => `${path} ${hash}\n`).join('')));
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
