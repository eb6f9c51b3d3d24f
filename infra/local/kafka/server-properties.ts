import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, isFree } from '../free-port.ts';

/**
 * One node that is broker and controller. The session times are short: after a kill -9 the new broker waits until its own old
 * registration has run out, with the defaults 9 s.
 * Source: https://kafka.apache.org/43/configuration/broker-configs/
 */
export const serverProperties = (
  data: string,
  { broker, controller }: Ports,
  settings: Readonly<Record<string, string>> = {},
): string =>
  Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    'num.partitions': '12',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // Else a record twice a second says that nothing happened.
    'metadata.max.idle.interval.ms': '0',
    'log.cleaner.dedupe.buffer.size': '2097152',
    ...settings,
  })
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');

type Ports = {
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
