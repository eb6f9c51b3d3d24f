import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/**
 * The port to listen on at 127.0.0.1: the one asked for, else last time's if it is free, else any free one.
 * @throws Error in one line when the port asked for is taken
 */
export async function choosePort(folder: string, asked: number | undefined): Promise<number> {
  if (asked !== undefined) {
    if ((await listenOnce(asked)) !== undefined) return asked;
    throw new Error(`port ${asked} for PostgreSQL is taken: free it, or choose another`);
  }
  const last = Number(await readFile(portFile(folder), 'utf8').catch(() => ''));
  const port = (last > 0 ? await listenOnce(last) : undefined) ?? (await listenOnce(0));
  if (port === undefined) throw new Error('no free port at 127.0.0.1 for PostgreSQL');
  return port;
}

/** Notes the port for the next start. */
export const rememberPort = (folder: string, port: number): Promise<void> => writeFile(portFile(folder), `${port}\n`);

const portFile = (folder: string): string => join(folder, 'port');

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ port, host: '127.0.0.1' }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
