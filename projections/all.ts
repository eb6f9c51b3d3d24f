import { untilLogIsRight, type LogIdentityOptions } from '@workledger/shared/consumption/log-identity.ts';
import { agents } from './agents/projection.ts';
import { artefactOwners } from './artefact-owners/projection.ts';
import { comments } from './comments/projection.ts';
import { costs } from './costs/projection.ts';
import { deliveries } from './deliveries/projection.ts';
import { dependencies } from './dependencies/projection.ts';
import type { Projection } from './engine/projection.ts';
import { runProjections, type RunOptions } from './engine/run-projections.ts';
import { evolutions } from './evolutions/projection.ts';
import { generations } from './generations/projection.ts';
import { issues } from './issues/projection.ts';
import { inboxes, receipts } from './inboxes/projection.ts';
import { keys } from './keys/projection.ts';
import { knowledge, knowledgeVersions } from './knowledge/projection.ts';
import { messageTypes } from './message-types/projection.ts';
import { messages } from './messages/projection.ts';
import { pipelines } from './pipelines/projection.ts';
import { mergeQueues } from './merge-queues/projection.ts';
import { questions } from './questions/projection.ts';
import { tasks } from './tasks/projection.ts';
import { users } from './users/projection.ts';
import { validations } from './validations/projection.ts';
import { webhooks } from './webhooks/projection.ts';
import { routings } from './routings/projection.ts';
import { workflowRuns } from './workflow-runs/projection.ts';
import { workflowSteps } from './workflow-runs/steps.ts';
import { workflows, workflowVersions } from './workflows/projection.ts';
import { documents } from './documents/projection.ts';
import { dispatchDeliveries, dispatches } from './dispatches/projection.ts';
import { configurationRevisions, configurations } from './configurations/projection.ts';

/** Every projection there is. A new one is added here, and nowhere else. */
export const projections: readonly Projection[] = [
  tasks,
  issues,
  comments,
  dependencies,
  agents,
  evolutions,
  generations,
  validations,
  mergeQueues,
  pipelines,
  deliveries,
  keys,
  users,
  knowledge,
  knowledgeVersions,
  artefactOwners,
  costs,
  questions,
  messageTypes,
  messages,
  inboxes,
  receipts,
  webhooks,
  routings,
  workflows,
  workflowVersions,
  workflowRuns,
  workflowSteps,
  documents,
  dispatches,
  dispatchDeliveries,
  configurations,
  configurationRevisions,
];

const READ_MODELS = {
  schema: 'read_models',
  belongs: 'the read models (schema read_models) belong',
  meanwhile: 'Nothing is applied',
};

/** Waits until the read models and the log belong together; says once why it waits. What is away is told by those who use it. */
export const untilReadModelsFitLog = ({
  pool,
  log,
  logger,
  signal,
  onProblem,
}: Omit<LogIdentityOptions, 'outages'>): Promise<void> =>
  untilLogIsRight('projections', READ_MODELS, { pool, log, logger, signal, onProblem });

export type ReadModelsOptions = Omit<RunOptions, 'projections'> & Pick<LogIdentityOptions, 'onProblem'>;

/** Keeps all read models up to date until the signal aborts; waits, and says so, when they are made from another log. Their tables must be there: `migrateReadModels`. */
export async function runReadModels(options: ReadModelsOptions): Promise<void> {
  await untilReadModelsFitLog(options);
  await runProjections({ ...options, projections });
}
