import { createHandler, type Handler } from '@workledger/shared/aggregate/handle.ts';
import type { SnapshotOptions } from '@workledger/shared/aggregate/snapshots.ts';
import { createStreamCache, type StreamCache } from '@workledger/shared/aggregate/stream-cache.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { WhyNotInOrigin } from '@workledger/shared/commands/origin-lookup.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import type { addressFault } from '@workledger/shared/config/outgoing-webhooks.ts';
import type { Live } from '@workledger/shared/config/live.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { InboxState } from '@workledger/shared/contexts/agent/inbox/state.ts';
import type { MessageState } from '@workledger/shared/contexts/agent/message/state.ts';
import type { MessageTypeState } from '@workledger/shared/contexts/agent/message-type/state.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { agent, type AgentDecisions } from '../domain/agent.ts';
import { inbox, type InboxDecisions } from '../domain/inbox.ts';
import { key } from '../domain/key.ts';
import { comment } from '../domain/comment.ts';
import { message, type MessageDecisions } from '../domain/message.ts';
import { messageType, type MessageTypeDecisions } from '../domain/message-type.ts';
import { evolution } from '../domain/evolution.ts';
import { issue } from '../domain/issue.ts';
import { generation } from '../domain/generation.ts';
import { validation } from '../domain/validation.ts';
import { user } from '../domain/user.ts';
import { delivery } from '../domain/delivery.ts';
import { knowledge } from '../domain/knowledge.ts';
import { mergeQueue } from '../domain/merge-queue.ts';
import { question } from '../domain/question.ts';
import { dependencies, type DependenciesDecisions } from '../domain/dependencies.ts';
import type { Edges } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { task, type TaskDecisions } from '../domain/task.ts';
import { webhook, type WebhookDecisions } from '../domain/webhook.ts';
import { routing } from '../domain/routing.ts';
import { document } from '../domain/document.ts';
import type { Strategy } from '@workledger/shared/contexts/sync/document/events.ts';
import { dispatch } from '../domain/dispatch.ts';
import { configuration as configurationAggregate, type ConfigurationDecisions } from '../domain/configuration.ts';
import type { ConfigurationState } from '@workledger/shared/contexts/sync/configuration/state.ts';
import type { WebhookState } from '@workledger/shared/contexts/sync/webhook/state.ts';
import type { WebhookSecrets } from './webhook-secrets.ts';
import type { Estimates } from './estimates.ts';
import type { ModelTry } from '@workledger/shared/read-models/model-records.ts';
import type { Priced } from '@workledger/shared/routing/price.ts';
import { createHanding } from './handing.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { IssueHints } from '@workledger/shared/read-models/issue-agents.ts';
import type { KnowledgeUsage } from './knowledge-usage.ts';
import type { Reports } from './reports.ts';
import type { Secrets } from './secrets.ts';
import type { Spending } from './spending.ts';
import type { StepContext } from './step.ts';
import { workflow } from '../domain/workflow.ts';
import { workflowRun, type WorkflowRunDecisions } from '../domain/workflow-run.ts';
import type { WorkflowRunState } from '@workledger/shared/contexts/task/workflow-run/state.ts';

/** Tasks that an agent with these capabilities may find free, most urgent first. A hint: the log decides. */
export type NextTasks = (wanted: {
  readonly capabilities: readonly string[];
  /** Only tasks of a repository: an agent that is run as a command can do no other. */
  readonly withRepository: boolean;
  /** Not these. */
  readonly without: readonly string[];
  /** Only tasks of these; left out: of any repository, or none. */
  readonly repositories?: readonly string[];
  readonly limit: number;
}) => Promise<readonly Hint[]>;

/** Keys of an agent that are not revoked, as a read model knows them: a hint that may be behind. */
export type KeysOf = (agentId: string) => Promise<readonly string[]>;

/** How models came out at tasks of a complexity, of these repositories; null: of all. A hint that may be behind. */
export type ModelTries = (complexity: string, scope: readonly string[] | null) => Promise<readonly ModelTry[]>;

export type Hint = { readonly taskId: string; readonly urgency: number };

/** A repository, where its tasks are told of beside their sources, and how its documents are settled. */
type Registered = {
  readonly name: string;
  readonly tell?: readonly ('slack' | 'linear')[];
  readonly slack?: string | null;
  readonly documents?: { readonly strategy: Strategy };
};

export type HandlersConfiguration = Parameters<typeof addressFault>[0] & {
  readonly repositories: readonly Registered[];
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
  /** How long an agent has to answer when an issue is offered to it; default: a quarter of an hour. */
  readonly issueOfferSeconds?: number;
  /** Default: none. */
  readonly models?: readonly (Priced & { readonly name: string })[];
  /** Default: workflows call no host. */
  readonly workflows?: { readonly allowHosts: readonly string[] };
};

/** What commands know of the configuration beside its values. */
export type Configured = Pick<Live, 'written' | 'refresh' | 'revision'>;

export type TaskHandler = Handler<TaskState, TaskDecisions>;
export type AgentHandler = Handler<AgentState, AgentDecisions>;
export type DependenciesHandler = Handler<Edges, DependenciesDecisions>;

/** How all aggregates are handled: one cache for all of them. */
export type HandlingOptions = {
  readonly snapshots: SnapshotOptions;
  /** Milliseconds since 1970; default: this process's clock. */
  readonly now?: () => number;
};

const createAggregates = (log: EventLog, options: HandlingOptions & { readonly cache: StreamCache }) => ({
  task: createHandler(log, task, options) satisfies TaskHandler,
  dependencies: createHandler(log, dependencies, options) satisfies DependenciesHandler,
  agent: createHandler(log, agent, options) satisfies AgentHandler,
  issue: createHandler(log, issue, options),
  comment: createHandler(log, comment, options),
  key: createHandler(log, key, options),
  'message-type': createHandler(log, messageType, options) satisfies Handler<MessageTypeState, MessageTypeDecisions>,
  message: createHandler(log, message, options) satisfies Handler<MessageState, MessageDecisions>,
  inbox: createHandler(log, inbox, options) satisfies Handler<InboxState, InboxDecisions>,
  generation: createHandler(log, generation, options),
  evolution: createHandler(log, evolution, options),
  validation: createHandler(log, validation, options),
  knowledge: createHandler(log, knowledge, options),
  'merge-queue': createHandler(log, mergeQueue, options),
  question: createHandler(log, question, options),
  delivery: createHandler(log, delivery, options),
  user: createHandler(log, user, options),
  webhook: createHandler(log, webhook, options) satisfies Handler<WebhookState, WebhookDecisions>,
  routing: createHandler(log, routing, options),
  workflow: createHandler(log, workflow, options),
  'workflow-run': createHandler(log, workflowRun, options) satisfies Handler<WorkflowRunState, WorkflowRunDecisions>,
  document: createHandler(log, document, options),
  dispatch: createHandler(log, dispatch, options),
  configuration: createHandler(log, configurationAggregate, options) satisfies Handler<
    ConfigurationState,
    ConfigurationDecisions
  >,
});

/** A look for edges of tasks that were complete before edges were dropped, or whose process was killed before it did. */
export type PastEdges = {
  /** Tasks that are to be looked at. */
  readonly unseen: string[];
  running: boolean;
  /** Milliseconds on the monotonic clock before which no new look begins. */
  restsUntil: number;
};

type TakeFound = (id: string, data: CommandData<'delivery.take-found'>, context: StepContext) => Promise<CommandAnswer>;

type Aggregates = ReturnType<typeof createAggregates>;
type DecidedBy<Of> = Of extends Handler<infer _State, infer Data> ? keyof Data : never;
/** Commands that an aggregate decides. */
export type Decided = { [Name in keyof Aggregates]: DecidedBy<Aggregates[Name]> }[keyof Aggregates];

/** What command handlers work with. */
export type Room = ReturnType<typeof createRoom>;

export const createRoom = (
  log: EventLog,
  besides: {
    readonly heartbeats: Heartbeats;
    readonly reports: Reports;
    readonly knowledgeUsage: KnowledgeUsage;
    readonly secrets: Secrets;
    readonly webhookSecrets: WebhookSecrets;
    readonly spending: Spending;
    readonly whyNotInOrigin: WhyNotInOrigin;
    readonly takeFound: TakeFound;
    readonly estimates: Estimates;
    readonly modelTries: ModelTries;
    readonly configured: Configured | undefined;
  },
  configuration: HandlersConfiguration,
  hints: { readonly nextTasks: NextTasks; readonly keysOf: KeysOf; readonly issueHints: IssueHints },
  handling: HandlingOptions,
) => {
  const aggregates = createAggregates(log, { ...handling, cache: createStreamCache() });
  const { task: tasks, agent: agents, delivery: deliveries, question: questions } = aggregates;
  return {
    ...{ log, ...besides, ...hints, configuration },
    now: handling.now ?? Date.now,
    handing: createHanding(),
    /** By stream of edges: how far the look for edges of finished tasks has come. */
    pastEdges: new Map<string, PastEdges>(),
    /** By stream type. */
    aggregates,
    ...{ tasks, agents, deliveries, questions, dependencies: aggregates.dependencies },
  };
};
