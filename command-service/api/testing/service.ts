import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { problemCode, serve, type TestClient, type Told } from '@workledger/infra/testing/servers/application.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { createSecretHashOf } from '@workledger/shared/security/secrets.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { expect } from 'vitest';
import { startWriteSide, type WriteSide } from '../../processes/testing.ts';
import type { RoutingRules } from '../../domain/signal.ts';
import type { Provider } from '../../intake/provider.ts';
import { providers } from '../../intake/providers.ts';
import { createWebhookRoute } from '../../intake/webhook-route.ts';
import { createCommandRoutes } from '../command-routes.ts';

export type Service = WriteSide & {
  readonly client: TestClient;
  readonly artefacts: Artefacts;
  /** Everything that was logged. */
  readonly logged: () => string;
  /** A new API key. */
  key(
    role: Role,
    agentId?: string,
    limits?: { readonly repositories?: readonly string[]; readonly expiresAt?: string },
  ): Promise<{ readonly id: string; readonly key: string }>;
};

export type IntakeSettings = {
  readonly rules?: RoutingRules;
  readonly providers?: readonly Provider[];
  /** The same for all providers. */
  readonly secrets?: readonly string[];
  readonly repositorySecrets?: ReadonlyMap<string, readonly string[]>;
  readonly maxAgeSeconds?: number;
};

/** The whole write side behind a real HTTP server: real handlers, log, keys and artefacts. */
export async function startService(intake: IntakeSettings = {}): Promise<Service> {
  const side = await startWriteSide();
  await migrate(side.database.url, 'artefacts', artefactMigrations);
  const artefacts = createPostgresArtefacts(side.database.pool);
  const { commands, log } = side;
  const { logger, text } = captureLog();
  const keys = createKeyStore(log, { secretHashOf: createSecretHashOf(side.database.pool) });
  const {
    secrets = [],
    repositorySecrets = new Map(),
    rules = { repositories: [], rules: [] },
    maxAgeSeconds,
  } = intake;
  const client = await serve({
    routes: [
      ...createCommandRoutes({ commands, log, pool: side.database.pool, keys, logger }),
      ...(intake.providers ?? providers).map((provider) =>
        createWebhookRoute({
          ...{ provider, secrets, repositorySecrets, maxAgeSeconds, rules },
          ...{ commands, log, artefacts, logger },
        }),
      ),
    ],
    authenticate: authenticateWith(keys),
    logger,
  });
  return {
    ...side,
    client,
    artefacts,
    logged: text,
    key: async (role, agentId, limits = {}) => {
      const id = newId();
      const { key, secretHash } = newApiKey(id);
      const data = { name: `a key for ${role}`, role, agentId: agentId ?? null, secretHash, ...limits };
      await commands.send({ type: 'key.create', target: id, data }, { actor: 'system', correlationId: newId() });
      return { id, key };
    },
    close: async () => {
      await client.stop();
      await side.close();
    },
  };
}

/** Sends what must be refused, and demands that it was refused so and that no event was appended. */
export async function expectNothing(
  service: Service,
  send: () => Promise<Told>,
  status: number,
  code: string,
): Promise<Told> {
  const before = await service.log.head();
  const told = await send();
  expect([told.status, problemCode(told)]).toEqual([status, code]);
  expect(await service.log.head()).toBe(before);
  return told;
}
