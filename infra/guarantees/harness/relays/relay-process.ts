import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeArguments } from '../../../testing/processes/node-arguments.ts';

const root = resolve(import.meta.dirname, '../../../..');

/** A relay as it is deployed, in a process of its own. */
export type RelayProcess = {
  /** As PostgreSQL knows its connections. */
  readonly name: string;
  readonly pid: number;
  /** The messages that it logged. */
  readonly said: readonly string[];
  freeze(): void;
  wake(): void;
  /** Ends it, frozen or not; resolves when it is gone. */
  kill9(): Promise<void>;
};

export type RelaySettings = {
  readonly databaseUrl: string;
  readonly kafkaBrokers: string;
  readonly topicPrefix: string;
  /** Null: the log is in PostgreSQL. */
  readonly eventStoreDbUrl: string | null;
};

/** It ends when this process does. */
export function startRelayProcess(name: string, settings: RelaySettings): RelayProcess {
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    PORT: '0',
    DATABASE_URL: `${settings.databaseUrl}?application_name=${name}`,
    KAFKA_BROKERS: settings.kafkaBrokers,
    KAFKA_TOPIC_PREFIX: settings.topicPrefix,
    ...(settings.eventStoreDbUrl === null ? {} : { EVENTSTOREDB_URL: settings.eventStoreDbUrl }),
  };
  const child = spawn(process.execPath, nodeArguments(join(root, 'command-service/relay/main.ts')), {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => said.push(messageOf(line)));
  return {
    name,
    pid: child.pid!,
    said,
    freeze: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
    kill9: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function messageOf(line: string): string {
  try {
    return String((JSON.parse(line) as { msg?: unknown }).msg);
  } catch {
    return line;
  }
}
