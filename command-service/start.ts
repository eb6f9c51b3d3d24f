import type { WhyNotInOrigin } from '@workledger/shared/commands/origin-lookup.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Live } from '@workledger/shared/config/live.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { agentsWithKeysLeft, countKeysOfOtherMacs } from '@workledger/shared/read-models/agent-keys.ts';
import { dueDispatches } from '@workledger/shared/read-models/dispatches.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import type { Foundation, RunningService } from '@workledger/shared/service/service.ts';
import { createCommandRoutes } from './api/command-routes.ts';
import { maxAgeOf, providers, repositorySecretsOf, secretsOf } from './intake/providers.ts';
import { pluginProviders } from './intake/plugin-providers.ts';
import { createWebhookRoute } from './intake/webhook-route.ts';
import { startAgentMonitor } from './processes/agents.ts';
import { takeFound } from './intake/found.ts';
import { createEstimates } from './processes/estimates.ts';
import { createCommandHandlers, type CommandHandlers } from './processes/handlers.ts';
import { commandServiceMigrations } from './processes/heartbeats.ts';
import { startDispatchWatch } from './processes/dispatch-watch.ts';
import { startLeaseWatch } from './processes/leases.ts';
import { createSpending } from './processes/spending.ts';

export const migrations: readonly SqlSchema[] = [{ name: 'command_service', migrations: commandServiceMigrations }];

const AGENTS_A_PASS = 100;

type CommandFoundation = Pick<
  Foundation,
  'log' | 'pool' | 'keys' | 'artefacts' | 'configuration' | 'folder' | 'logger'
> & {
  /** Told by projections of the same process; default: whoever waits looks again and again. */
  readonly wakeUps?: Foundation['wakeUps'];
  /** Whose providers are received, too; default: none. */
  readonly plugins?: readonly LoadedPlugin[];
  /** Where this process can ask origins; default: it cannot. */
  readonly whyNotInOrigin?: WhyNotInOrigin;
  /** Where the configuration comes from; default: it stays as it is, and nothing lies below what the API sets. */
  readonly live?: Live;
};

export type CommandService = RunningService & { readonly commands: Commands; readonly routes: readonly Route[] };

/** Starts the write side: handlers, the watches over agents and leases, and the routes before them. @throws ConfigurationError */
export async function start(foundation: CommandFoundation): Promise<CommandService> {
  const { log, pool, keys, artefacts, configuration, folder, logger, plugins = [], live, wakeUps } = foundation;
  const sources = await Promise.all(
    providers.map(async (provider) => ({
      provider,
      secrets: await secretsOf(provider, configuration, folder),
      repositorySecrets: new Map(await repositorySecretsOf(provider, configuration, folder)),
      maxAgeSeconds: maxAgeOf(provider, configuration),
    })),
  );
  live?.onChange(() => {
    const onFault = (error: unknown): void =>
      logger.warn(
        { err: error },
        'secrets of a repository that was set cannot be read: none of its deliveries is taken',
      );
    for (const { provider, repositorySecrets } of sources)
      void repositorySecretsOf(provider, configuration, folder, onFault).then((secrets) => {
        repositorySecrets.clear();
        for (const [repository, own] of secrets) repositorySecrets.set(repository, own);
      });
  });
  const commands: CommandHandlers = await createCommandHandlers({
    log,
    pool,
    configuration,
    configured: live,
    nextTasks: (wanted) => {
      const { repositories, ageingSeconds } = configuration;
      return nextTasks(pool, { ...wanted, registered: repositories.map(({ name }) => name), ageingSeconds });
    },
    spending: createSpending(pool, configuration),
    estimates: createEstimates(pool),
    whyNotInOrigin: foundation.whyNotInOrigin,
    takeFound: (id, data, context) => takeFound({ commands, log, artefacts, rules: configuration }, id, data, context),
    // That a server is away is told by the process, once.
    onSnapshotFailed: (error) =>
      logger[isAway(error) ? 'debug' : 'warn']({ err: error }, 'snapshots fail: long streams are read whole'),
  });
  void tellKeysOfOtherMacs(foundation);
  const monitor = startAgentMonitor({
    ...{ commands, logger },
    get heartbeatSeconds() {
      return configuration.heartbeatSeconds;
    },
    agentsWithKeysLeft: () => agentsWithKeysLeft(pool, AGENTS_A_PASS),
  });
  live?.onChange(monitor.heed);
  const watches = [
    monitor,
    startLeaseWatch({ commands, logger, leaseSeconds: () => configuration.leaseSeconds }),
    startDispatchWatch({ commands, logger, due: () => dueDispatches(pool) }),
  ];
  return {
    commands,
    routes: [
      ...createCommandRoutes({ commands, log, pool, keys, logger, wakeUps, configuration }),
      ...sources.map((source) =>
        createWebhookRoute({ ...source, commands, log, artefacts, rules: configuration, logger }),
      ),
      ...pluginProviders(plugins, configuration).map((source) =>
        createWebhookRoute({ ...source, commands, log, artefacts, logger }),
      ),
    ],
    stop: async () => void (await Promise.all(watches.map((watch) => watch.stop()))),
  };
}

/** A MAC key that was lost takes the keys with it that were made under it: their owners learn of it by a 401, the operator here. */
async function tellKeysOfOtherMacs({ pool, keys, logger }: CommandFoundation): Promise<void> {
  try {
    const count = await countKeysOfOtherMacs(pool, keys.macs.names);
    if (count > 0)
      logger.warn(
        { count, macKeys: keys.macs.names },
        'API keys that were made under a MAC key that is not in use are refused: ' +
          'give their owners new ones (GET /api/v1/keys tells the macKey of each), or put that MAC key back as the second line of its file',
      );
  } catch (error) {
    logger[isAway(error) ? 'debug' : 'warn']({ err: error }, 'API keys of other MAC keys could not be counted');
  }
}
