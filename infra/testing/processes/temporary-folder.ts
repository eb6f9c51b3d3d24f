import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that PostgreSQL's user may pass through, too. */
export async function temporaryFolder(purpose: string): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), `workledger-${purpose}-`));
  await chmod(folder, 0o755);
  return folder;
}
