import { describe, inject, type SuiteAPI } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Addresses of the test run's Kafka, comma-separated; null where none can be started. */
    kafkaBrokers: string | null;
  }
}

/** Addresses of the test run's real Kafka. @throws Error where there is none: use it inside of `describeWithKafka` */
export function kafkaBrokers(): readonly string[] {
  const brokers = inject('kafkaBrokers');
  if (brokers === null) throw new Error('no Kafka in this test run');
  return brokers.split(',');
}

/** `describe`, skipped where the test run has no Kafka (the set-up has said why). */
export const describeWithKafka: SuiteAPI | SuiteAPI['skip'] =
  inject('kafkaBrokers') === null ? describe.skip : describe;
