import { startProgram } from '@workledger/infra/testing/processes/program.ts';

export type WorkerArguments = {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly databaseUrl: string;
  readonly freezeAt?: string;
};

export type KafkaWorker = {
  readonly pid: number;
  /** How often it has said this so far. */
  said(line: string): number;
  /** With -9. */
  kill(): Promise<void>;
};

export function startKafkaWorker(given: WorkerArguments): KafkaWorker {
  const { pid, lines, end } = startProgram('projections/testing/run-over-kafka.program.ts', [JSON.stringify(given)]);
  return {
    pid,
    said: (line) => lines().filter((said) => said === line).length,
    kill: () => end('SIGKILL'),
  };
}
