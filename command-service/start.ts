import type { Pool } from 'pg';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { readSecrets } from '@workledger/shared/config/secret.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { createKeyStore, type KeyStore } from '@workledger/shared/security/key-store.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { createCommandRoutes } from './api/command-routes.ts';
import { startAgentMonitor } from './handlers/agent-monitor.ts';
import { createCommandHandlers } from './handlers/create-command-handlers.ts';
import { createGithubWebhookRoute } from './webhooks/github/github-route.ts';

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
  const { repositories, leaseSeconds, heartbeatSeconds, ageingSeconds, webhooks } = configuration;
  const secrets = await readSecrets(webhooks.github?.secrets ?? [], 'webhooks.github.secrets', folder);
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
      createGithubWebhookRoute({ commands, log, artefacts, configuration, secrets, logger }),
    ],
    stop: () => monitor.stop(),
  };
}
