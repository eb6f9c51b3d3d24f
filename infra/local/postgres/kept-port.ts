import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, isFree } from '../free-port.ts';

/**
 * The port to listen on at 127.0.0.1: the one asked for, else last time's if it is free, else any free one.
 * @throws Error in one line when the port asked for is taken
 */
export async function choosePort(folder: string, asked: number | undefined): Promise<number> {
  if (asked === undefined) return freePort(Number(await readFile(portFile(folder), 'utf8').catch(() => '')) || 0);
  if (await isFree(asked)) return asked;
  throw new Error(`port ${asked} for PostgreSQL is taken: free it, or choose another`);
}

/** Notes the port for the next start. */
export const rememberPort = (folder: string, port: number): Promise<void> => writeFile(portFile(folder), `${port}\n`);

const portFile = (folder: string): string => join(folder, 'port');
