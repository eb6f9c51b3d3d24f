import type { Configuration } from '@workledger/shared/config/schema.ts';

/** What a worker's process is started with. */
export type WorkerSettings = {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly configuration: Configuration;
  readonly dataFolder: string;
};
