import { join } from 'node:path';
import { readEnvironment } from '@workledger/shared/config/read-environment.ts';
import { busVariables, logVariables } from '@workledger/shared/config/service-environment.ts';
import type { Closers } from '@workledger/shared/service/closers.ts';
import { startKafka, type EmbeddedKafka } from '../kafka/embedded-kafka.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/embedded-postgres.ts';
import { superviseServer } from './supervise-server.ts';

/** Where the services find their servers: variables that all of them get. */
export type Servers = {
  readonly environment: Readonly<Record<string, string>>;
};

/** Kafka and PostgreSQL as processes of this machine; EventStoreDB only where EVENTSTOREDB_URL names one. */
export async function startNativeServers(
  folder: string,
  closers: Closers,
  say: (line: string) => void,
): Promise<Servers> {
  const { EVENTSTOREDB_URL } = readEnvironment({ EVENTSTOREDB_URL: logVariables.EVENTSTOREDB_URL });
  const [postgres, kafka] = await Promise.all([
    superviseServer<EmbeddedPostgres>(
      'PostgreSQL',
      (before) =>
        startEmbeddedPostgres({
          folder: join(folder, 'postgres'),
          log: say,
          ...(before !== null && { port: Number(new URL(before.url).port) }),
        }),
      closers,
      say,
    ),
    superviseServer<EmbeddedKafka>(
      'Kafka',
      (before) =>
        startKafka({
          folder: join(folder, 'kafka'),
          log: say,
          ...(before !== null && { port: Number(before.brokers.split(':')[1]) }),
        }),
      closers,
      say,
    ),
  ]);
  say(`PostgreSQL  127.0.0.1:${new URL(postgres.url).port}`);
  say(`Kafka       ${kafka.brokers}`);
  return {
    environment: { DATABASE_URL: postgres.url, KAFKA_BROKERS: kafka.brokers, ...eventLog(EVENTSTOREDB_URL, say) },
  };
}

/** Servers that run already. @throws ConfigurationError naming the variables that are not set */
export function givenServers(say: (line: string) => void): Servers {
  const { EVENTSTOREDB_URL } = readEnvironment({ ...logVariables, ...busVariables });
  const { DATABASE_URL = '', KAFKA_BROKERS = '', KAFKA_TOPIC_PREFIX } = process.env;
  const prefix = KAFKA_TOPIC_PREFIX === undefined ? {} : { KAFKA_TOPIC_PREFIX };
  return {
    environment: { DATABASE_URL, KAFKA_BROKERS, ...prefix, ...eventLog(EVENTSTOREDB_URL, say) },
  };
}

function eventLog(url: string | undefined, say: (line: string) => void): Record<string, string> {
  if (url === undefined) {
    say('Event log   in PostgreSQL, since EVENTSTOREDB_URL is not set');
    return {};
  }
  say('Event log   in EventStoreDB, as EVENTSTOREDB_URL says');
  return { EVENTSTOREDB_URL: url };
}
