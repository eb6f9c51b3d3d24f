import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, isFree } from '../free-port.ts';

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
  const broker = asked ?? (await freePort(last?.broker));
  if (asked !== undefined && !(await isFree(asked)))
    throw new Error(`port ${asked} for Kafka is taken: free it, or choose another`);
  let controller = await freePort(last?.controller);
  while (controller === broker) controller = await freePort();
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
