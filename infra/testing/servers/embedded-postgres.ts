import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseName } from '../../local/postgres/initialise-cluster.ts';
import { isServerOn } from '../../local/postgres/server-process.ts';
import { childrenOf } from '../processes/processes.ts';

/** The PostgreSQL server of a data folder, as far as a test must reach it from outside. */
export function embeddedPostgres(folder: string): { url(): Promise<string>; processes(): Promise<readonly number[]> } {
  const cluster = async (): Promise<string> => {
    const elsewhere = await readFile(join(folder, 'location'), 'utf8').catch(() => '');
    return join(elsewhere.trim() || folder, 'cluster');
  };
  const lockFile = async (): Promise<string[]> =>
    (await readFile(join(await cluster(), 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');

  return {
    url: async () => {
      const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
      const port = (await lockFile())[3];
      return `postgres://${databaseName}:${password}@127.0.0.1:${port}/${databaseName}`;
    },
    processes: async () => {
      const pid = Number((await lockFile())[0]);
      return pid > 1 && isServerOn(await cluster(), pid) ? [pid, ...childrenOf(pid)] : [];
    },
  };
}
