import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

export type Ports = {
  /** For clients. */
  readonly broker: number;
  /** For the broker itself. */
  readonly controller: number;
};

/**
 * The ports to listen on at 127.0.0.1: the one asked for, else last time's if they are free, else free ones.
 * @throws Error in one line when the port asked for is taken
 */
export async function choosePorts(folder: string, asked: number | undefined): Promise<Ports> {
  const last = await lastPorts(folder);
  const broker = asked ?? (await firstFree(last?.broker));
  if (asked !== undefined && !(await isFree(asked)))
    throw new Error(`port ${asked} for Kafka is taken: free it, or choose another`);
  let controller = await firstFree(last?.controller);
  while (controller === broker) controller = await firstFree(undefined);
  return { broker, controller };
}

/** Notes the ports for the next start. */
export const rememberPorts = (folder: string, ports: Ports): Promise<void> =>
  writeFile(portsFile(folder), `${JSON.stringify(ports)}\n`);

const portsFile = (folder: string): string => join(folder, 'ports.json');

async function lastPorts(folder: string): Promise<Ports | undefined> {
  try {
    return JSON.parse(await readFile(portsFile(folder), 'utf8')) as Ports;
  } catch {
    return undefined;
  }
}

const firstFree = async (last: number | undefined): Promise<number> =>
  last !== undefined && (await isFree(last)) ? last : freePort();

const isFree = async (port: number): Promise<boolean> => (await listenOnce(port)) !== null;

async function freePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === null) throw new Error('no free port at 127.0.0.1 for Kafka');
  return port;
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen({ port, host: '127.0.0.1' }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
