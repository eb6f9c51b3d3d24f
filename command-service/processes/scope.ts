import { agentOf } from '../domain/agent.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { CommandData, CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Room } from './room.ts';
import { checkWebhookScope } from './webhooks.ts';

type Named = { readonly status: string; readonly repository: string | null };

/** Whether a task belongs to one of these repositories: one of no repository does not. */
export const isWithin = (repositories: readonly string[], { status, repository }: Named): boolean =>
  status !== 'missing' && repository !== null && repositories.includes(repository);

/**
 * Holds whoever is limited to repositories to their tasks: what lies beyond answers as if it were not there. Every task that a
 * command names is looked at in the log, the one that it is about, those that it is to wait for, and its whole.
 * @throws CommandRefused `not-found`, `unknown-repository`, `unknown-reference`
 */
export async function checkScope(
  room: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): Promise<void> {
  if (type.startsWith('issue.') || type.startsWith('comment.'))
    return checkIssueScope(room, repositories, { type, target, data });
  if (type.startsWith('question.')) return checkQuestion(room, repositories, { type, target, data });
  if (type.startsWith('routing.')) return checkRouting(room, repositories, { type, target, data });
  if (type.startsWith('webhook.')) return checkWebhookScope(room, repositories, { type, target, data });
  if (type.startsWith('workflow')) return checkWorkflow(room, repositories, { type, target, data });
  if (type.startsWith('document.')) return checkDocument(room, repositories, { type, target, data });
  // An agent's own, and knowledge, which its process holds to them: what it claims, claim-next chooses within the same repositories.
  if (!type.startsWith('task.')) return;
  const isThere = async (id: string): Promise<boolean> => isWithin(repositories, (await room.tasks.load(id)).state);
  if (type !== 'task.create' && !(await isThere(target))) refuse('not-found', 'there is no such task');
  for (const repository of repositoriesOf(type, data)) refuseBeyond(repositories, repository);
  for (const { field, taskId } of referencesOf(type, data))
    if (!(await isThere(taskId)))
      refuse('unknown-reference', `${field}: there is no task ${taskId}`, { field, taskId });
}

/** A question is as far away as what it is about. */
async function checkQuestion(
  room: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): Promise<void> {
  if (type !== 'question.ask') {
    const repository = (await room.questions.load(target)).state.asked?.repository ?? null;
    if (repository === null || !repositories.includes(repository)) refuse('not-found', 'there is no such question');
    return;
  }
  const { taskId, repository } = data as CommandData<'question.ask'>;
  if (taskId === null) return refuseBeyond(repositories, repository);
  if (!isWithin(repositories, (await room.tasks.load(taskId)).state))
    refuse('unknown-reference', `taskId: there is no task ${taskId}`, { field: 'taskId', taskId });
}

/** A choice of a model belongs to the repository that it was asked for. */
async function checkRouting(
  { aggregates }: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): Promise<void> {
  if (type === 'routing.choose') return refuseBeyond(repositories, (data as CommandData<'routing.choose'>).repository);
  const repository = (await aggregates.routing.load(target)).state.routed?.repository ?? null;
  if (repository === null || !repositories.includes(repository))
    refuse('not-found', 'there is no such choice of a model');
}

/** A workflow and its runs belong to a repository, or none. */
async function checkWorkflow(
  { aggregates }: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): Promise<void> {
  if (type === 'workflow-run.start-defined') {
    const { definition } = data as CommandData<'workflow-run.start-defined'>;
    return refuseBeyond(repositories, definition.repository ?? null);
  }
  const isOfRun = type.startsWith('workflow-run.');
  const id = type === 'workflow-run.start' ? (data as CommandData<'workflow-run.start'>).workflowId : target;
  if (type !== 'workflow.define') {
    const isRun = isOfRun && type !== 'workflow-run.start';
    const { state } = await (isRun ? aggregates['workflow-run'].load(id) : aggregates.workflow.load(id));
    if (!repositories.includes(state?.repository ?? ''))
      refuse('not-found', `there is no such ${isRun ? 'run' : 'workflow'}`);
  }
  if (!isOfRun && type !== 'workflow.retire')
    refuseBeyond(repositories, (data as CommandData<'workflow.define'>).repository ?? null);
}

/** A document of no repository is beyond everybody who is limited. */
async function checkDocument(
  { aggregates }: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): Promise<void> {
  if (type === 'document.create')
    return refuseBeyond(repositories, (data as CommandData<'document.create'>).repository);
  if (!isWithin(repositories, (await aggregates.document.load(target)).state))
    refuse('not-found', 'there is no such document');
}

function refuseBeyond(repositories: readonly string[], repository: string | null): void {
  if (repository === null || !repositories.includes(repository))
    refuse('unknown-repository', 'the repository is none of those that the key is limited to', { repository });
}

/** Repositories that new tasks are to belong to. */
function repositoriesOf(type: CommandType, data: unknown): readonly (string | null)[] {
  if (type === 'task.create') return [(data as CommandData<'task.create'>).repository];
  if (type === 'task.expand') return (data as CommandData<'task.expand'>).subtasks.map(({ repository }) => repository);
  return [];
}

type Reference = { readonly field: string; readonly taskId: string };

function referencesOf(type: CommandType, data: unknown): readonly Reference[] {
  const dependencies = (ids: readonly string[]): Reference[] =>
    ids.map((taskId) => ({ field: 'dependencies', taskId }));
  if (type === 'task.create') {
    const { parentId, dependencies: ids } = data as CommandData<'task.create'>;
    return [...dependencies(ids), ...(parentId === null ? [] : [{ field: 'parentId', taskId: parentId }])];
  }
  if (type === 'task.expand')
    return (data as CommandData<'task.expand'>).subtasks.flatMap(({ dependencies: ids }) => dependencies(ids));
  if (type === 'task.add-dependency' || type === 'task.remove-dependency')
    return [{ field: 'dependsOn', taskId: (data as CommandData<'task.add-dependency'>).dependsOn }];
  return [];
}

/** An issue belongs to a repository, and so does what is said about it. */
async function checkIssueScope(
  { aggregates }: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): Promise<void> {
  if (type === 'issue.create') return refuseBeyond(repositories, (data as CommandData<'issue.create'>).repository);
  const isOfComment = type.startsWith('comment.') && type !== 'comment.create';
  const issueId = type === 'comment.create' ? (data as CommandData<'comment.create'>).issueId : target;
  const { state } = await (isOfComment ? aggregates.comment.load(target) : aggregates.issue.load(issueId));
  if (isWithin(repositories, state)) return;
  if (type === 'comment.create')
    refuse('unknown-reference', `issueId: there is no issue ${issueId}`, { field: 'issueId', issueId });
  refuse('not-found', `there is no such ${isOfComment ? 'comment' : 'issue'}`);
}

/** An agent speaks for itself only. */
export function checkOwnAgent(actor: string, type: CommandType, target: string, data: unknown): void {
  if (!actor.startsWith('agent:')) return;
  const spokenFor = agentOf({ type, target, data });
  if (spokenFor !== null && actor !== `agent:${spokenFor}`) refuse('forbidden', 'an agent can only speak for itself');
}
