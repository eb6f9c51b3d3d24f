import type { Pool } from 'pg';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { createKeyStore, type KeyStore } from '@workledger/shared/security/key-store.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { createCommandRoutes } from './api/command-routes.ts';
import { startAgentMonitor } from './processes/agents.ts';
import { createCommandHandlers } from './processes/create-command-handlers.ts';
import { providers, secretsOf } from './intake/providers.ts';
import { createWebhookRoute } from './intake/webhook-route.ts';

export type CommandServiceOptions = {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly artefacts: Artefacts;
  readonly configuration: Configuration;
  /** Absolute folder of the configuration file: where relative paths of secrets start. */
  readonly folder: string;
  readonly logger: Logger;
};

export type CommandService = {
  readonly commands: Commands;
  readonly keys: KeyStore;
  readonly routes: readonly Route[];
  stop(): Promise<void>;
};

/** The write side: handlers, the watch over agents, and the routes before them. @throws ConfigurationError */
export async function startCommandService(options: CommandServiceOptions): Promise<CommandService> {
  const { log, pool, artefacts, configuration, folder, logger } = options;
  const { repositories, leaseSeconds, heartbeatSeconds, ageingSeconds } = configuration;
  const sources = await Promise.all(
    providers.map(async (provider) => ({ provider, secrets: await secretsOf(provider, configuration, folder) })),
  );
  const commands = await createCommandHandlers({
    log,
    pool,
    configuration: { repositories, leaseSeconds, heartbeatSeconds },
    nextTasks: (wanted) => nextTasks(pool, { ...wanted, ageingSeconds }),
  });
  const keys = createKeyStore(log);
  const monitor = startAgentMonitor({ commands, logger, heartbeatSeconds });
  return {
    commands,
    keys,
    routes: [
      ...createCommandRoutes({ commands, log, keys, logger }),
      ...sources.map((source) =>
        createWebhookRoute({ ...source, commands, log, artefacts, rules: configuration, logger }),
      ),
    ],
    stop: () => monitor.stop(),
  };
}
