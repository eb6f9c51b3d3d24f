import type { Commands } from '@workledger/shared/commands/port.ts';
import { readSecrets } from '@workledger/shared/config/load.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import type { Foundation, RunningService } from '@workledger/shared/service/service.ts';
import { createCommandRoutes } from './api/command-routes.ts';
import { startAgentMonitor } from './handlers/agent-monitor.ts';
import { createCommandHandlers } from './handlers/create-command-handlers.ts';
import { commandServiceMigrations } from './heartbeats/migrations.ts';
import { createGithubWebhookRoute } from './webhooks/github/github-route.ts';

export const migrations: readonly SqlSchema[] = [{ name: 'command_service', migrations: commandServiceMigrations }];

type CommandFoundation = Pick<
  Foundation,
  'log' | 'pool' | 'keys' | 'artefacts' | 'configuration' | 'folder' | 'logger'
>;

export type CommandService = RunningService & { readonly commands: Commands; readonly routes: readonly Route[] };

/** Starts the write side: handlers, the watch over agents, and the routes before them. @throws ConfigurationError */
export async function start(foundation: CommandFoundation): Promise<CommandService> {
  const { log, pool, keys, artefacts, configuration, folder, logger } = foundation;
  const { repositories, leaseSeconds, heartbeatSeconds, ageingSeconds, webhooks } = configuration;
  const secrets = await readSecrets(webhooks.github?.secrets ?? [], 'webhooks.github.secrets', folder);
  const commands = await createCommandHandlers({
    log,
    pool,
    configuration: { repositories, leaseSeconds, heartbeatSeconds },
    nextTasks: (wanted) => nextTasks(pool, { ...wanted, ageingSeconds }),
  });
  const monitor = startAgentMonitor({ commands, logger, heartbeatSeconds });
  return {
    commands,
    routes: [
      ...createCommandRoutes({ commands, log, keys, logger }),
      createGithubWebhookRoute({ commands, log, artefacts, configuration, secrets, logger }),
    ],
    stop: () => monitor.stop(),
  };
}
