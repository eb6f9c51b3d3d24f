import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCommandRoutes } from '@workledger/command-service/api/command-routes.ts';
import { createCommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { runReadModels } from '@workledger/projections/all.ts';
import { embedEntries } from '@workledger/projections/knowledge/embed-entries.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createQueryRoutes } from '@workledger/query-service/start.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { until } from '../../testing/processes/until.ts';
import { serve, type Told } from '../../testing/servers/application.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/servers/database.ts';

export type Person = Principal;

export const person = (role: Role, limits: Partial<Pick<Principal, 'teams' | 'repositories'>> = {}): Person => {
  const keyId = newId();
  const actor = `${role === 'agent' ? 'agent' : 'user'}:${keyId}`;
  return { keyId, role, agentId: role === 'agent' ? keyId : null, repositories: null, teams: [], actor, ...limits };
};

export type Found = {
  readonly id: string;
  readonly title: string;
  readonly uses: object;
  readonly relation?: string;
};
export type House = Awaited<ReturnType<typeof startHouse>>;

/**
 * Commands, projections, embeddings and queries over one database, behind a real server. Who asks is who the request says.
 * @param endpoint of embeddings; undefined: none is configured @param prepare called with the empty database
 */
export async function startHouse(
  endpoint?: {
    readonly url: string;
    readonly model: string;
    readonly dimensions: number;
    readonly timeoutSeconds?: number;
  },
  prepare: (database: TestDatabase) => Promise<void> = async () => undefined,
) {
  const database = await createTestDatabase();
  await prepare(database);
  const { pool } = database;
  await migrate(database.url, 'command_service', commandServiceMigrations);
  await migrateReadModels(database.url);
  const log = await createPostgresEventLog({ connectionString: database.url });
  const bus = createInProcessBus(log);
  const wakeUps = createWakeUps();
  const { logger } = captureLog();
  const commands = await createCommandHandlers({
    ...{ log, pool, nextTasks: async () => [] },
    configuration: { repositories: [{ name: 'shop' }, { name: 'bank' }], leaseSeconds: 60, heartbeatSeconds: 30 },
  });
  const { embeddings: configured } = configurationSchema.parse({ embeddings: endpoint ?? null });
  const embeddings = await openEmbeddings(configured, '.');
  const people = new Map<string, Person>();
  const client = await serve({
    routes: [
      ...createCommandRoutes({ commands, log, pool, keys: createKeyStore(log), logger }),
      ...createQueryRoutes({
        ...{ pool, log, artefacts: createPostgresArtefacts(pool), ageingSeconds: 3_600, wakeUps, embeddings },
      }),
    ],
    authenticate: async (authorization) =>
      people.get((authorization ?? '').replace('Bearer ', '')) ??
      Promise.reject(new Problem('unauthenticated', 'no key')),
    logger,
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = [
    runReadModels({ log, bus, pool, logger, signal, onApplied: wakeUps.wake }),
    ...(embeddings === null ? [] : [embedEntries({ pool, embeddings, signal, lookEvery: 20 })]),
  ];

  /** Of what was written since it was asked last: each tells of its own stream. */
  let tokens: string[] = [];
  const ask = async (who: Person, method: string, path: string, json?: unknown): Promise<Told> => {
    people.set(who.keyId, who);
    const headers = tokens.length === 0 || method !== 'GET' ? {} : { 'Consistency-Token': tokens.join(',') };
    const told = await client.ask(method, `/api/v1${path}`, {
      key: who.keyId,
      headers,
      ...(json === undefined ? {} : { json }),
    });
    const token = told.headers.get('consistency-token');
    if (method === 'GET' && told.status < 500) tokens = [];
    else if (token !== null) tokens.push(token);
    return told;
  };
  const write = async (who: Person, entry: object): Promise<string> => {
    const told = await ask(who, 'POST', '/knowledge', entry);
    if (told.status !== 201) throw new Error(JSON.stringify(told.body));
    return String(told.body['id']);
  };
  const search = async (who: Person, query: string): Promise<{ ranking: unknown; items: Found[] }> =>
    (await ask(who, 'GET', `/knowledge?${query}`)).body as never;
  const titles = async (who: Person, query: string): Promise<string[]> =>
    (await search(who, query)).items.map(({ title }) => title);
  return {
    ...{ database, pool, log, ask, write, search, titles },
    untilEmbedded: async () => {
      // First all must be projected.
      await ask(person('viewer'), 'GET', '/knowledge?limit=1');
      return until('all entries to be embedded', async () => {
        const { rows } = await pool.query('select from read_models.knowledge_to_embed limit 1');
        return rows.length === 0;
      });
    },
    close: async () => {
      stopping.abort();
      await Promise.all(running);
      await client.stop();
      await bus.close();
      await log.close();
      await database.drop();
    },
  };
}

/** An endpoint as OpenAI has it, where a text means what the test says. */
export async function startEmbeddingsEndpoint(meant: (words: string) => readonly number[]) {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { input } = JSON.parse(text) as { input: string[] };
      response.end(JSON.stringify({ data: input.map((words, index) => ({ index, embedding: meant(words) })) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: (): void => {
      server.closeAllConnections();
      server.close();
    },
  };
}
export type EmbeddingsEndpoint = Awaited<ReturnType<typeof startEmbeddingsEndpoint>>;
