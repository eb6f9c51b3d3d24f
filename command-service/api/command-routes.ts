import type { Commands } from '@workledger/shared/commands/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { KeyStore } from '@workledger/shared/security/key-store.ts';
import { waitingDeliveries } from '@workledger/shared/read-models/dispatches.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Pool } from 'pg';
import { createSecrets } from '../processes/secrets.ts';
import { createWebhookSecrets } from '../processes/webhook-secrets.ts';
import { agentRoutes } from './agent-routes.ts';
import { batchRoute } from './batch-route.ts';
import { commentRoutes, issueRoutes } from './issue-routes.ts';
import { knowledgeRoutes } from './knowledge-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { redriveRoute } from './parked-route.ts';
import { mergeQueueRoutes } from './merge-queue-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { questionRoutes } from './question-routes.ts';
import { serviceRoute } from './service-route.ts';
import { taskRoutes } from './task-routes.ts';
import { takesAccess, userRoutes } from './user-routes.ts';
import { outgoingWebhookRoutes } from './outgoing-webhook-routes.ts';
import { routingRoutes } from './routing-routes.ts';
import { workflowRoutes } from './workflow-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { protocolRoutes } from './protocol-routes.ts';
import { configurationRoutes, type FlagReader } from './configuration-routes.ts';

export type CommandRouteOptions = {
  readonly commands: Commands;
  readonly log: EventLog;
  /** Of the database in which others note what stands still, and secrets of users are. */
  readonly pool: Pool;
  /** The store that requests are authenticated with: it forgets a key as soon as it is revoked here. */
  readonly keys: KeyStore;
  readonly logger: Logger;
  /** Told by projections; without it a request that waits for a dispatch only looks again and again. */
  readonly wakeUps?: WakeUps | undefined;
  /** Whose flags are evaluated; default: there are none. */
  readonly configuration?: FlagReader;
};

/** Every route of the write side but those that webhooks come in by (`../intake/`). */
export const createCommandRoutes = ({
  commands,
  log,
  pool,
  keys,
  logger,
  wakeUps,
  configuration,
}: CommandRouteOptions): Route[] => [
  ...taskRoutes(commands),
  ...issueRoutes(commands),
  ...commentRoutes(commands),
  ...agentRoutes(commands, keys),
  ...keyRoutes({ commands, log, keys, secrets: createSecrets(pool) }),
  ...userRoutes(commands, keys),
  ...mergeQueueRoutes(commands),
  ...knowledgeRoutes(commands),
  ...messageRoutes(commands),
  ...questionRoutes(commands),
  batchRoute({
    commands,
    logger,
    onSuccess: async (type, target) => {
      if (type === 'key.revoke') await keys.forgetEverywhere(target);
      if (type === 'agent.deregister' || takesAccess(type)) await keys.forgetEverywhere();
    },
  }),
  redriveRoute({ pool, logger }),
  serviceRoute({ commands, logger }),
  ...outgoingWebhookRoutes(commands, createWebhookSecrets(pool)),
  ...routingRoutes(commands),
  ...workflowRoutes(commands),
  ...documentRoutes(commands),
  ...protocolRoutes({ commands, waiting: (asking) => waitingDeliveries(pool, asking), wakeUps }),
  ...configurationRoutes(commands, configuration),
];
