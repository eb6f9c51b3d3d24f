import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isBrokerOn } from '../../local/kafka/broker-process.ts';
import { childrenOf, commandOf, freeze } from '../processes/processes.ts';

/** The processes of a distributed system, as far as a test must reach them from outside. @param folder absolute: its data */
export function distributedProcesses(folder: string): {
  /** Launcher, services and gateway; the launcher stands still from now on, so that it starts none anew. */
  services(launchers: readonly number[]): number[];
  kafka(): readonly number[];
  /** What all services have logged. */
  logged(): string;
} {
  return {
    services: (launchers) => {
      for (const launcher of launchers) freeze(launcher);
      return launchers.flatMap((launcher) => [
        ...childrenOf(launcher).filter((child) => !isStorage(commandOf(child))),
        launcher,
      ]);
    },
    kafka: () => {
      const pid = Number(read(join(folder, 'kafka', 'broker.pid')));
      return pid > 1 && isBrokerOn(join(folder, 'kafka'), pid) ? [pid] : [];
    },
    logged: () => {
      try {
        return readdirSync(join(folder, 'logs'))
          .map((file) => read(join(folder, 'logs', file)))
          .join('');
      } catch {
        return '';
      }
    },
  };
}

/** What kill -9 of a storage ends: databases and the bus; all other children of the launcher are services. */
const isStorage = (command: readonly string[]): boolean =>
  command.some((word) => /(^|\/)postgres$|^kafka\.Kafka$/.test(word)) || command[0]?.startsWith('postgres:') === true;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
