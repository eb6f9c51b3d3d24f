import type { Live } from '@workledger/shared/config/live.ts';
import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import type { Embeddings } from '@workledger/shared/embeddings/port.ts';
import type { Authenticate } from '@workledger/shared/http/mount.ts';
import type { Upgrade } from '@workledger/shared/http/upgrade.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { shownState } from '@workledger/shared/outbound/outbound.ts';
import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import type { Foundation } from '@workledger/shared/service/service.ts';
import { getAgent, listAgents } from './api/agents.ts';
import { getArtefact } from './api/artefact.ts';
import { listComponentStates } from './api/components.ts';
import { listCosts } from './api/costs.ts';
import { getDelivery, listDeliveries } from './api/deliveries.ts';
import { commentQueries } from './api/comments.ts';
import { issueQueries } from './api/issues.ts';
import { getKey, listKeys } from './api/keys.ts';
import { knowledgeQueries } from './api/knowledge.ts';
import { inboxQueries } from './api/inbox.ts';
import { messageTypeQueries } from './api/message-types.ts';
import { messageQueries } from './api/messages.ts';
import { listNextTasks } from './api/next-tasks.ts';
import { listAllParked } from './api/parked.ts';
import { questionQueries } from './api/questions.ts';
import { listFindings } from './api/findings.ts';
import { allRunRoutes } from './api/runs.ts';
import { getTask } from './api/task.ts';
import { listTasks } from './api/tasks.ts';
import { listEvents } from './audit/events.ts';
import { getStream } from './audit/stream.ts';
import { userQueries } from './api/users.ts';
import { webhookQueries } from './api/webhooks.ts';
import { routingQueries } from './api/routings.ts';
import { workflowRunQueries } from './api/workflow-runs.ts';
import { workflowQueries } from './api/workflows.ts';
import { documentQueries } from './api/documents.ts';
import { protocolQueries } from './api/protocol.ts';
import { configurationQueries } from './api/configuration.ts';
import { createFeeds } from './live/feeds.ts';
import type { SendCommand } from './live/forward.ts';
import { createHub } from './live/hub.ts';
import { sseRoute } from './live/sse-route.ts';
import { syncRoute } from './live/sync-route.ts';
import { createWebSocketUpgrade } from './live/websocket.ts';
import type { QueryOptions } from './reading/query-route.ts';
import { createSettle } from './reading/consistency.ts';
import { createSearch } from './knowledge/search.ts';
import { createUsesOf } from './knowledge/uses.ts';
import { schemaRoutes } from './schemas/schema-routes.ts';

/** Other services make all that it reads. */
export const migrations: readonly SqlSchema[] = [];

type QueryFoundation = Pick<
  Foundation,
  'pool' | 'log' | 'artefacts' | 'wakeUps' | 'configuration' | 'folder' | 'keys' | 'logger'
> & {
  readonly live: Live;
  /** How commands that come over a WebSocket reach command-service. */
  readonly sendCommand: SendCommand;
};

export type QueryService = {
  readonly routes: readonly Route[];
  /** Takes WebSockets. */
  upgrade(authenticate: Authenticate): Upgrade;
  /** Facts that /health tells beside. */
  facts(): Readonly<Record<string, unknown>>;
  /** Ends all live lines with a notice, so that the server can stop. */
  drain(): void;
};

/** Starts the read side: all its routes, and the live channel. @throws ConfigurationError */
export async function start({ keys, logger, sendCommand, ...foundation }: QueryFoundation): Promise<QueryService> {
  const { configuration, folder, pool, log } = foundation;
  const embeddings = await openEmbeddings(configuration.embeddings, folder);
  const patience = (configuration.embeddings?.timeoutSeconds ?? 0) * A_QUESTIONS_PART;
  const feeds = createFeeds(pool, log);
  const hub = createHub({ log, keys, logger, feeds });
  return {
    routes: [
      ...createQueryRoutes({
        ...{ ...foundation, embeddings, patience },
        get ageingSeconds() {
          return configuration.ageingSeconds;
        },
      }),
      sseRoute(hub, feeds),
    ],
    upgrade: (authenticate) => createWebSocketUpgrade({ hub, log }, authenticate, sendCommand),
    facts: () => (embeddings === null ? {} : { embeddingsOfQuestions: shownState(embeddings.state()) }),
    drain: hub.drain,
  };
}

/** A question waits a tenth of what a batch does: milliseconds of a second. */
const A_QUESTIONS_PART = 100;

type RoutesOptions = QueryOptions & {
  /** Whose configuration is shown; default: nobody's. */
  readonly live?: Live;
  /** What finds knowledge by its meaning; default: nothing does. */
  readonly embeddings?: Embeddings | null;
  /** Milliseconds that a question waits for it; default 3,000. */
  readonly patience?: number;
};

/**
 * All routes of the read side: read models (they wait for a consistency token), artefacts, the log for auditors, and the schemas
 * of published events.
 */
export function createQueryRoutes(options: RoutesOptions): readonly Route[] {
  const { pool, embeddings = null, patience = 3_000 } = options;
  const settle = createSettle(options);
  const usesOf = createUsesOf(pool);
  const search = createSearch({ pool, embeddings, usesOf, patience });
  return [
    listTasks(options, settle),
    listNextTasks(options, settle),
    getTask(options, settle),
    listAgents(options, settle),
    getAgent(options, settle),
    ...issueQueries(options, settle),
    ...commentQueries(options, settle),
    ...allRunRoutes(options, settle),
    listDeliveries(options, settle),
    getDelivery(options, settle),
    ...knowledgeQueries({ ...options, search, usesOf }, settle),
    listKeys(options, settle),
    getKey(options, settle),
    ...userQueries(options, settle),
    listAllParked(options, settle),
    listFindings(options, settle),
    listCosts(options, settle),
    ...questionQueries(options, settle),
    ...messageTypeQueries(options, settle),
    ...messageQueries(options, settle),
    ...inboxQueries(options, settle),
    getArtefact(options),
    getStream(options),
    listEvents(options),
    ...schemaRoutes(),
    ...webhookQueries(options, settle),
    listComponentStates(options, settle),
    ...routingQueries(options, settle),
    ...workflowQueries(options, settle),
    ...workflowRunQueries(options, settle),
    ...documentQueries(options, settle),
    syncRoute,
    ...protocolQueries(options, settle),
    ...(options.live ? configurationQueries({ ...options, live: options.live }, settle) : []),
  ];
}
