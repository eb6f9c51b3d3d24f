import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProcessesOf } from './processes-of-folder.ts';

export type TemporaryFolder = { readonly path: string; remove(): Promise<void> };

/** A folder for a whole system; its removal ends every process that still works in it. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'workledger-local-')));
  // As root, PostgreSQL runs as another user, who must be able to pass.
  await chmod(path, 0o711);
  return {
    path,
    remove: async () => {
      await killProcessesOf(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}
