import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { build, stop, type OutputFile, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../../..');
/** Below the installed packages, so that what stays outside of the files is found. */
const CACHE = join(ROOT, 'node_modules/.cache/workledger-services');
const OURS = '@workledger/';

/**
 * Puts each entry point and all that it imports of ours into one plain file: five processes that start at once would else each
 * translate some hundred files. Takes a quarter of a second; the same sources give the same folder, whoever asks at the same time.
 * @param entries below the repository's root, such as `sagas/main.ts`
 * @returns the absolute path of the program of an entry
 */
export async function buildServices(entries: readonly string[]): Promise<(entry: string) => string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...new Set(entries)],
    outbase: ROOT,
    outdir: CACHE,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    plugins: [packagesStayOutside],
    write: false,
    logLevel: 'silent',
  }).finally(() => stop());
  const folder = await keep(outputFiles);
  return (entry) => join(folder, entry.replace(/\.ts$/, '.js'));
}

const packagesStayOutside: Plugin = {
  name: 'packages-stay-outside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path.startsWith(OURS) ? undefined : { path, external: true },
    ),
};

/** Whole or not there at all, under a name that its content gives. */
async function keep(files: readonly OutputFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, hash: content } of files) hash.update(`${path} ${content}\n`);
  const folder = join(CACHE, hash.digest('hex').slice(0, 16));
  if (
    await access(folder).then(
      () => true,
      () => false,
    )
  )
    return folder;
  await mkdir(CACHE, { recursive: true });
  const unfinished = await mkdtemp(join(CACHE, '.building-'));
  try {
    for (const { path, contents } of files) {
      const file = join(unfinished, relative(CACHE, path));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, contents);
    }
    await rename(unfinished, folder).catch(async (error: unknown) => {
      await access(folder).catch(() => Promise.reject(error as Error));
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}
