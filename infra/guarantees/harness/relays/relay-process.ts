import { messagesOf, startProgram } from '../../../testing/processes/program.ts';

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
  const environment = {
    PORT: '0',
    DATABASE_URL: `${settings.databaseUrl}?application_name=${name}`,
    KAFKA_BROKERS: settings.kafkaBrokers,
    KAFKA_TOPIC_PREFIX: settings.topicPrefix,
    ...(settings.eventStoreDbUrl === null ? {} : { EVENTSTOREDB_URL: settings.eventStoreDbUrl }),
  };
  const { pid, signal, end, lines } = startProgram('command-service/relay/main.ts', [], { environment });
  return {
    name,
    pid,
    get said() {
      return messagesOf({ lines });
    },
    freeze: () => signal('SIGSTOP'),
    wake: () => signal('SIGCONT'),
    kill9: () => end('SIGKILL'),
  };
}
