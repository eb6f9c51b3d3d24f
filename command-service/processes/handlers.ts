import type { Pool } from 'pg';
import { commandHash } from '@workledger/shared/aggregate/canonical-json.ts';
import type { Handler } from '@workledger/shared/aggregate/handle.ts';
import {
  type CommandData,
  commands,
  type CommandType,
  commandTypes,
  declarationOf,
} from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import { createIssueHints, type IssueHints } from '@workledger/shared/read-models/issue-agents.ts';
import { keysOfAgent } from '@workledger/shared/read-models/agent-keys.ts';
import { modelTries as readModelTries } from '@workledger/shared/read-models/model-records.ts';
import type { WhyNotInOrigin } from '@workledger/shared/commands/origin-lookup.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { beatAgent, checkCoordinator } from './agents.ts';
import { askApproval, askChanges, decideApproval, saidIn } from './approvals.ts';
import { changeTask } from './change-task.ts';
import { claimNext } from './claim-next.ts';
import { claimTask, releaseUnclaimed } from './claims.ts';
import { createTask, createTaskFromDelivery } from './create-task.ts';
import { createHeartbeats, type Heartbeats } from './heartbeats.ts';
import { noEstimates, type Estimates } from './estimates.ts';
import { expandTask, giveUpExpansion } from './expand-task.ts';
import { createKey, deregisterAgent, finishDeregistration, revokeKey, revokeKeysOf } from './keys.ts';
import {
  assignIssue,
  createComment,
  createIssue,
  createTaskFromIssue,
  leaveIssues,
  offerIssue,
  turnIntoTask,
  updateIssue,
} from './issues.ts';
import { changeKnowledge, createKnowledge, relateKnowledge, useKnowledge } from './knowledge.ts';
import { documentProcesses } from './documents.ts';
import { createKnowledgeUsage } from './knowledge-usage.ts';
import { expireClaim, renewLease } from './leases.ts';
import { reportProgress } from './progress.ts';
import { confirmMessage, readAll, registerMessageType, sendMessage } from './messages.ts';
import { answerByDelivery } from './answers.ts';
import { answerQuestion, askChoice, askQuestion, meetDeadline, withdrawQuestion } from './questions.ts';
import { createReports } from './reports.ts';
import { changeDependencies } from './references.ts';
import { retryTask } from './retry-task.ts';
import {
  createRoom,
  type Configured,
  type Decided,
  type HandlersConfiguration,
  type HandlingOptions,
  type KeysOf,
  type ModelTries,
  type NextTasks,
  type Room,
} from './room.ts';
import { chooseModel } from './routings.ts';
import { dispatchProcesses } from './dispatches.ts';
import { configurationProcesses } from './configurations.ts';
import { checkOwnAgent, checkScope } from './scope.ts';
import { createSecrets } from './secrets.ts';
import { createPostgresSnapshots } from './snapshots.ts';
import { noBudgets, type Spending } from './spending.ts';
import { parseData, type StepContext } from './step.ts';
import { setStatus } from './set-status.ts';
import { completeTask, submitWork } from './submit-and-complete.ts';
import { cancelTask, completeParent, finishCancellation } from './subtasks.ts';
import { createWebhookSecrets } from './webhook-secrets.ts';
import { changeWebhook, createWebhook, deleteWebhook, rotateSecret } from './webhooks.ts';
import { workflowProcesses } from './workflows.ts';

type CommandHandler<Type extends CommandType> = (
  target: string,
  data: CommandData<Type>,
  context: StepContext,
) => Promise<CommandAnswer>;

export type Registry = { readonly [Type in CommandType]: CommandHandler<Type> };

/** Commands that are more than a decision of their aggregate: of several streams, or with a sign of life. */
const createProcesses = (room: Room, send: Commands['send']) => {
  const { agents, tasks, heartbeats } = room;
  const beatOf = (claimId: string, { actor }: StepContext) =>
    heartbeats.beat(`claim:${claimId}`, ...(actor.startsWith('agent:') ? [actor] : []));

  return {
    'task.create': (id, data, context) => createTask(room, id, data, context),
    'task.create-from-delivery': (id, data, context) => createTaskFromDelivery(room, id, data, context),
    'task.create-from-issue': (id, data, context) => createTaskFromIssue(room, id, data, context),
    'task.change': (id, data, context) => changeTask(room, id, data, context),
    'task.set-status': (id, data, context) => setStatus(room, id, data, context),
    'task.add-dependency': (id, data, context) => changeDependencies(room, 'task.add-dependency', id, data, context),
    'task.remove-dependency': (id, data, context) =>
      changeDependencies(room, 'task.remove-dependency', id, data, context),
    'task.expand': (id, data, context) => expandTask(room, id, data, context),
    'task.give-up-expansion': (id, data, context) => giveUpExpansion(room, id, data, context),
    'task.claim': (id, data, context) => claimTask(room, id, data, context),
    'task.renew': (id, { claimId }, context) => renewLease(room, id, claimId, context),
    'task.report-progress': async (id, data, context) => {
      const answer = await reportProgress(room, id, data, context);
      await beatOf(data.claimId, context);
      return answer;
    },
    'task.submit': async (id, data, context) => {
      const answer = await submitWork(room, id, data, context);
      await beatOf(data.claimId, context);
      return answer;
    },
    'task.expire-claim': (id, { claimId }, context) => expireClaim(room, id, claimId, context),
    'task.complete': (id, data, context) => completeTask(room, id, { type: 'task.complete', data }, context),
    'task.complete-parent': (id, _, context) => completeParent(room, id, context),
    'task.cancel': (id, data, context) => cancelTask(room, id, data, context),
    'task.retry': (id, data, context) => retryTask(room, id, data, context),
    'task.finish-cancellation': (id, _, context) => finishCancellation(room, id, context),

    'task.approve': (id, data, context) => decideApproval(room, id, { choice: 'approve', ...data }, context),
    'task.refuse': (id, data, context) => decideApproval(room, id, { choice: 'refuse', ...data }, context),
    'task.ask-changes': (id, data, context) => askChanges(room, id, data, context),
    'task.send-back': async (id, { questionId, ...data }, context) => {
      const said = await saidIn(room, id, questionId);
      return tasks.handle(id, { type: 'task.send-back', data: { ...data, ...said } }, context);
    },
    'task.fail': async (id, { questionId, ...data }, context) => {
      const said = await saidIn(room, id, questionId);
      return tasks.handle(id, { type: 'task.fail', data: { ...data, ...said } }, context);
    },
    'question.ask': (id, data, context) => askQuestion(room, id, data, context),
    'question.ask-approval': (id, data, context) => askApproval(room, id, data, context),
    'question.ask-choice': (id, data, context) => askChoice(room, id, data, context),
    'question.answer': (id, data, context) => answerQuestion(room, id, data, context),
    'question.answer-delivery': (id, data, context) => answerByDelivery(room, id, data, context),
    'question.withdraw': (id, data, context) => withdrawQuestion(room, id, data, context),
    'question.meet-deadline': (id, data, context) => meetDeadline(room, id, data, context),
    'agent.register': async (id, data, context) => {
      await checkCoordinator(room, id, data, context);
      // What it was given before its end is not valid again.
      if ((await agents.load(id)).state.deregistered) await revokeKeysOf(room, id, context);
      // First the beat: the monitor watches whom it has heard of.
      await heartbeats.beat(`agent:${id}`);
      return agents.handle(id, { type: 'agent.register', data }, context);
    },
    'agent.beat': (id, _, context) => beatAgent(room, id, context),
    'agent.claim-next': (id, _, context) => claimNext(room, id, context),
    'agent.release-unclaimed': (id, { claimId }, context) => releaseUnclaimed(room, id, claimId, context),
    'agent.rest': (id, data, context) =>
      agents.handle(id, { type: 'agent.rest', data: { ...data, at: room.now() } }, context),
    'agent.deregister': (id, data, context) => deregisterAgent(room, id, data, context),
    'agent.finish-deregistration': (id, _, context) => finishDeregistration(room, id, context),
    'agent.change': async (id, data, context) => {
      await checkCoordinator(room, id, data, context);
      return agents.handle(id, { type: 'agent.change', data }, context);
    },

    'agent.leave-issues': (id, _, context) => leaveIssues(room, id, context),

    'issue.create': (id, data, context) => createIssue(room, id, data, context),
    'issue.update': (id, data, context) => updateIssue(room, id, data, context),
    'issue.assign': (id, data, context) => assignIssue(room, id, data, context),
    'issue.offer': (id, data, context) => offerIssue(room, id, data, context),
    'issue.turn-into-task': (id, _, context) => turnIntoTask(room, id, context),
    'comment.create': (id, data, context) => createComment(room, id, data, context),
    'knowledge.create': (id, data, context) => createKnowledge(room, id, data, context),
    'knowledge.revise': (id, data, context) => changeKnowledge(room, id, { type: 'knowledge.revise', data }, context),
    'knowledge.share': (id, data, context) => changeKnowledge(room, id, { type: 'knowledge.share', data }, context),
    'knowledge.relate': (id, data, context) => relateKnowledge(room, id, data, context),
    'knowledge.unrelate': (id, data, context) =>
      changeKnowledge(room, id, { type: 'knowledge.unrelate', data }, context),
    'knowledge.archive': (id, data, context) => changeKnowledge(room, id, { type: 'knowledge.archive', data }, context),
    'knowledge.restore': (id, data, context) => changeKnowledge(room, id, { type: 'knowledge.restore', data }, context),
    'knowledge.use': (id, data, context) => useKnowledge(room, id, data, context),

    'key.create': (id, data, context) => createKey(room, id, data, context),
    'key.revoke': (id, data, context) => revokeKey(room, id, data, context),

    'message-type.register': (id, data, context) => registerMessageType(room, id, data, context),
    'message.send': (id, data, context) => sendMessage(room, id, data, context),
    'message.deliver': (id, _, context) => confirmMessage(room, id, 'delivered', context),
    'message.read': (id, _, context) => confirmMessage(room, id, 'read', context),
    'inbox.read-all': (id, { through }, context) => readAll(room, id, through, context),

    'webhook.create': (id, data, context) => createWebhook(room, id, data, context),
    'webhook.change': (id, data, context) => changeWebhook(room, id, data, context),
    'webhook.rotate-secret': (id, data, context) => rotateSecret(room, id, data, context),
    'webhook.delete': (id, _, context) => deleteWebhook(room, id, context),

    'routing.choose': (id, data, context) => chooseModel(room, id, data, context),

    ...configurationProcesses(room),

    'delivery.take-found': (id, data, context) => room.takeFound(id, data, context),

    ...workflowProcesses(room, send),
    ...documentProcesses(room),
    ...dispatchProcesses(room),
  } satisfies Partial<Registry>;
};

type Simple = Exclude<CommandType, keyof ReturnType<typeof createProcesses>>;
/** A command that neither a process nor an aggregate decides makes this fail to compile, and is named there. */
const undecided: Readonly<Record<Exclude<Simple, Decided>, never>> = {};

/** Who handles which command: a process where there is one, else the aggregate that its name begins with. */
function createRegistry(room: Room, send: Commands['send']): Registry {
  const simple = commandTypes.map((type) => [type, simply(room, type)] as const);
  return { ...undecided, ...Object.fromEntries(simple), ...createProcesses(room, send) } as Registry;
}

function simply({ aggregates }: Room, type: CommandType): CommandHandler<CommandType> {
  const name = type.slice(0, type.indexOf('.')) as keyof Room['aggregates'];
  const handler = aggregates[name] as unknown as Handler<unknown, Record<string, unknown>>;
  return (id, data, context) => handler.handle(id, { type, data }, context);
}

export type CommandHandlers = Commands & { readonly heartbeats: Heartbeats };

/**
 * The write side: every command of the catalogue, checked and carried out. Who may send which command is the caller's to
 * decide; here an agent is only held to its own claims. The tables of `commandServiceMigrations` must be there: the service
 * counts as ready, and leases run, from this call on.
 */
export async function createCommandHandlers(options: {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly configuration: HandlersConfiguration;
  readonly nextTasks: NextTasks;
  /** Default: of the read models in the pool's database. */
  readonly keysOf?: KeysOf;
  /** Default: of the read models in the pool's database. */
  readonly issueHints?: IssueHints;
  /** Default: no budget is configured. */
  readonly spending?: Spending;
  /** Default: nobody here can ask an origin. */
  readonly whyNotInOrigin?: WhyNotInOrigin | undefined;
  /** Default: nothing is taken here but what is sent. */
  readonly takeFound?: CommandHandler<'delivery.take-found'>;
  /** Default: nothing is estimated. */
  readonly estimates?: Estimates;
  /** Default: there is no file below what the API sets, and claims name no revision. */
  readonly configured?: Configured | undefined;
  /** Told of the first of a row of snapshots that failed: nothing relies on them. */
  readonly onSnapshotFailed?: (error: unknown) => void;
  readonly now?: HandlingOptions['now'];
}): Promise<CommandHandlers> {
  const { log, pool, configuration, nextTasks, onSnapshotFailed, now, spending = noBudgets } = options;
  const { estimates = noEstimates, configured } = options;
  const modelTries: ModelTries = (complexity, scope) => readModelTries(pool, complexity, scope);
  const keysOf = options.keysOf ?? ((agentId) => keysOfAgent(pool, agentId));
  const issueHints = options.issueHints ?? createIssueHints(pool);
  const heartbeats = await createHeartbeats(pool);
  const snapshots = { store: createPostgresSnapshots(pool), ...(onSnapshotFailed && { onFailed: onSnapshotFailed }) };
  const handling = { snapshots, ...(now && { now }) };
  const { whyNotInOrigin = async () => null } = options;
  const counted = { reports: createReports(pool), knowledgeUsage: createKnowledgeUsage(pool) };
  const secrets = { secrets: createSecrets(pool), webhookSecrets: createWebhookSecrets(pool) };
  const { takeFound = () => refuse('forbidden', 'nothing is taken here but what providers send') } = options;
  const told = { spending, whyNotInOrigin, takeFound, estimates, modelTries, configured };
  const besides = { heartbeats, ...counted, ...secrets, ...told };
  const room = createRoom(log, besides, configuration, { nextTasks, keysOf, issueHints }, handling);
  const registry = createRegistry(room, (command, context) => send(command, context));

  const send: Commands['send'] = async (command, context) => {
    const type = command.type;
    if (!isCommandType(type)) return refuse('invalid-command', `there is no command "${type}"`, errorAt('type'));
    const target = command.target.toLowerCase();
    if (!uuid.safeParse(target).success) refuse('invalid-command', `target "${target}": use a UUID`, errorAt('target'));
    const data = parseData(declarationOf(type).data, command.data) as CommandData<typeof type>;
    checkOwnAgent(context.actor, type, target, data);
    if (context.repositories !== undefined) await checkScope(room, context.repositories, { type, target, data });
    return carryOut(registry, type, target, data, {
      ...context,
      commandId: context.commandId ?? newId(),
      firstTime: context.commandId === undefined,
      commandHash: commandHash({ type, target, data }),
    });
  };
  return { heartbeats, send };
}

const isCommandType = (type: string): type is CommandType => Object.hasOwn(commands, type);

const errorAt = (path: 'type' | 'target') => ({ errors: [{ path, message: 'invalid' }] });

const carryOut = <Type extends CommandType>(
  registry: Registry,
  type: Type,
  target: string,
  data: CommandData<Type>,
  context: StepContext,
) => registry[type](target, data, context);
