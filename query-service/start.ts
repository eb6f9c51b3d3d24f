import type { Route } from '@workledger/shared/http/route.ts';
import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import type { Foundation } from '@workledger/shared/service/service.ts';
import { getAgent, listAgents } from './api/agents.ts';
import { getArtefact } from './api/artefact.ts';
import { listCosts } from './api/costs.ts';
import { getDelivery, listDeliveries } from './api/deliveries.ts';
import { commentQueries } from './api/comments.ts';
import { issueQueries } from './api/issues.ts';
import { getKey, listKeys } from './api/keys.ts';
import { listNextTasks } from './api/next-tasks.ts';
import { listAllParked } from './api/parked.ts';
import { allRunRoutes } from './api/runs.ts';
import { getTask } from './api/task.ts';
import { listTasks } from './api/tasks.ts';
import { listEvents } from './audit/events.ts';
import { getStream } from './audit/stream.ts';
import { userQueries } from './api/users.ts';
import type { QueryOptions } from './reading/query-route.ts';
import { createSettle } from './reading/consistency.ts';
import { schemaRoutes } from './schemas/schema-routes.ts';

/** Other services make all that it reads. */
export const migrations: readonly SqlSchema[] = [];

type QueryFoundation = Pick<Foundation, 'pool' | 'log' | 'artefacts' | 'wakeUps' | 'configuration'>;

/** Starts the read side: all its routes. */
export function start({ configuration, ...foundation }: QueryFoundation): { readonly routes: readonly Route[] } {
  return { routes: createQueryRoutes({ ...foundation, configuration, ageingSeconds: configuration.ageingSeconds }) };
}

/**
 * All routes of the read side: read models (they wait for a consistency token), artefacts, the log for auditors, and the schemas
 * of published events.
 */
export function createQueryRoutes(options: QueryOptions): readonly Route[] {
  const settle = createSettle(options);
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
    listKeys(options, settle),
    getKey(options, settle),
    ...userQueries(options, settle),
    listAllParked(options, settle),
    listCosts(options, settle),
    getArtefact(options),
    getStream(options),
    listEvents(options),
    ...schemaRoutes(),
  ];
}
