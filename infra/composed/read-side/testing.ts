import { runReadModels } from '@workledger/projections/all.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createQueryRoutes } from '@workledger/query-service/start.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { serve, type TestClient, type Told } from '../../testing/servers/application.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/servers/database.ts';

export type ReadSide = {
  readonly database: TestDatabase;
  readonly log: EventLog;
  readonly artefacts: Artefacts;
  readonly client: TestClient;
  readonly routes: readonly Route[];
  /** Appends to the end of a stream; answers its consistency token. */
  append(stream: string, ...events: DomainEvent[]): Promise<string>;
  /** A new API key. */
  key(
    role: Role,
    limits?: { readonly agentId?: string; readonly userId?: string; readonly repositories?: string[] },
  ): Promise<string>;
  /** GET below /api/v1 as an administrator, unless another key is given. */
  get(path: string, headers?: Readonly<Record<string, string>>, key?: string): Promise<Told>;
  startProjections(): void;
  /** Everything that was logged. */
  logged(): string;
  close(): Promise<void>;
};

/** The whole read side behind a real HTTP server, over the real log: projections stand still until they are started. */
export async function startReadSide(waitMilliseconds = 5_000): Promise<ReadSide> {
  const database = await createTestDatabase();
  const log = await createPostgresEventLog({ connectionString: database.url });
  const bus = createInProcessBus(log);
  await migrateReadModels(database.url);
  await migrate(database.url, 'artefacts', artefactMigrations);
  const { logger, text } = captureLog();
  const { pool } = database;
  const artefacts = createPostgresArtefacts(pool);
  const wakeUps = createWakeUps();
  const routes = createQueryRoutes({ pool, log, artefacts, ageingSeconds: 3_600, waitMilliseconds, wakeUps });
  const client = await serve({
    routes,
    authenticate: authenticateWith(createKeyStore(log)),
    logger,
  });
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function append(stream: string, ...events: DomainEvent[]): Promise<string> {
    let last = -1;
    for await (const event of log.readStream(stream)) last = event.revision;
    const metadata = { correlationId: newId(), causationId: null, commandId: newId(), commandHash: '0' };
    const encoded = encode(stream, events, { ...metadata, actor: 'system', traceparent: null });
    const { revision } = await log.append(stream, encoded, last === -1 ? 'none' : last);
    return `${stream}@${revision}`;
  }

  async function key(
    role: Role,
    {
      agentId = role === 'agent' ? newId() : null,
      ...limits
    }: { agentId?: string | null; userId?: string; repositories?: string[] } = {},
  ): Promise<string> {
    const id = newId();
    const { key: secret, secretHash } = newApiKey(id);
    await append(streamName('key', id), {
      type: 'KeyCreated',
      data: { name: role, role, agentId, secretHash, ...limits },
    });
    return secret;
  }

  const administrator = await key('admin');
  return {
    database,
    log,
    artefacts,
    client,
    routes,
    append,
    key,
    get: (path, headers = {}, secret = administrator) => client.ask('GET', `/api/v1${path}`, { key: secret, headers }),
    startProjections: () => {
      running = runReadModels({ log, bus, pool, logger, signal: stopping.signal, onApplied: wakeUps.wake });
    },
    logged: text,
    close: async () => {
      stopping.abort();
      await running;
      await client.stop();
      await bus.close();
      await log.close();
      await database.drop();
    },
  };
}

export const items = ({ body }: Told): Record<string, unknown>[] => body['items'] as Record<string, unknown>[];
