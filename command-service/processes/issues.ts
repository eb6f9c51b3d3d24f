import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData, CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { agentStatus, type AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { taskCommands } from '@workledger/shared/contexts/task/task/commands.ts';
import { withEstimate } from './change-task.ts';
import { creation } from './create-task.ts';
import { demandParticipant } from './participants.ts';
import { checkRepository } from './references.ts';
import type { Room } from './room.ts';
import { joinTokens, parseData, step, unchanged, type StepContext } from './step.ts';

const OFFER_SECONDS = 900;
/** Agents that are looked at, at once. */
const HINTS = 25;
/** So many are asked in a round: who is asked is part of the issue's state. */
const MOST_ASKED = 200;
const MOST_LEFT = 500;

type Handled<Type extends CommandType> = readonly [room: Room, id: string, data: CommandData<Type>, StepContext];

/** Reports an issue, of a repository that is registered, or of none. @throws CommandRefused */
export async function createIssue(...[room, id, data, context]: Handled<'issue.create'>): Promise<CommandAnswer> {
  const { issue } = room.aggregates;
  const { commands } = await issue.load(id);
  if (recall(commands, context.commandId, context.commandHash) === undefined) checkRepository(room, data.repository);
  return issue.handle(id, { type: 'issue.create', data }, context);
}

/** Changes an issue as a whole; `details.status` is what was asked for. @throws CommandRefused */
export async function updateIssue(...[room, id, data, context]: Handled<'issue.update'>): Promise<CommandAnswer> {
  const { issue } = room.aggregates;
  const { state, commands } = await issue.load(id);
  const { status, assignee } = data;
  const isNew = typeof assignee === 'string' && assignee !== state.assignee;
  if (isNew && recall(commands, context.commandId, context.commandHash) === undefined)
    await demandParticipant(room, assignee, 'assignee');
  const answer = await issue.handle(id, { type: 'issue.update', data }, context);
  return status === undefined ? answer : { ...answer, details: { status } };
}

/** Assigns an issue, or begins to ask agents that can do it. @throws CommandRefused */
export async function assignIssue(...[room, id, data, context]: Handled<'issue.assign'>): Promise<CommandAnswer> {
  const { issue } = room.aggregates;
  const { assignee, byCapability, acceptWithinSeconds } = data;
  if (assignee === null) {
    const seconds = acceptWithinSeconds ?? room.configuration.issueOfferSeconds ?? OFFER_SECONDS;
    return issue.handle(id, { type: 'issue.ask', data: { acceptWithinSeconds: seconds } }, context);
  }
  const { commands } = await issue.load(id);
  if (recall(commands, context.commandId, context.commandHash) === undefined) {
    const message = 'agents are asked where there is no assignee: name one, or have them asked';
    if (byCapability) refuse('out-of-range', message, { errors: [{ path: 'byCapability', message }] });
    await demandParticipant(room, assignee, 'assignee');
  }
  return issue.handle(id, { type: 'issue.assign', data: { assignee } }, context);
}

/**
 * Offers an issue to the next agent: read models name those that can do it, the least loaded first, and the log says whether each is
 * there. Where nobody is left, the round ends.
 * @throws CommandRefused
 */
export async function offerIssue(...[room, id, data, context]: Handled<'issue.offer'>): Promise<CommandAnswer> {
  const { issue } = room.aggregates;
  const before = await issue.load(id);
  const { round, repository } = before.state;
  const isRepeat = recall(before.commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat && round?.number === data.round && round.offer === null && round.asked.length < MOST_ASKED) {
    const { capabilities } = before.state.details;
    const without = [...round.asked];
    for (;;) {
      const candidates = await room.issueHints.agentsFor({ capabilities, repository, without, limit: HINTS });
      for (const agentId of candidates)
        if (canBeAsked((await room.agents.load(agentId)).state, capabilities, room.now()))
          return issue.handle(id, { type: 'issue.offer', data: { ...data, agentId } }, context);
      if (candidates.length < HINTS) break;
      without.push(...candidates);
    }
  }
  return issue.handle(id, { type: 'issue.end-round', data }, context);
}

/** One that is busy may be asked: it takes an issue up when it can. */
function canBeAsked(agent: AgentState, capabilities: readonly string[], at: number): boolean {
  const can = agent.registration?.capabilities ?? [];
  const isThere = ['idle', 'active', 'busy', 'resting'].includes(agentStatus(agent, at));
  return isThere && capabilities.every((capability) => can.includes(capability));
}

/** The issues of an agent that is deregistered: its offers end, and what was assigned to it is nobody's. @throws CommandRefused */
export async function leaveIssues(room: Room, agentId: string, context: StepContext): Promise<CommandAnswer> {
  const agent = await room.agents.load(agentId);
  if (!agent.state.deregistered) return unchanged(agentId, agent);
  const answers: CommandAnswer[] = [];
  for (const id of await room.issueHints.issuesOf(agentId, MOST_LEFT))
    answers.push(
      await room.aggregates.issue.handle(id, { type: 'issue.leave', data: { agentId } }, step(context, 'leave', id)),
    );
  return { ...unchanged(agentId, agent), token: joinTokens(...answers) };
}

/** Turns an issue into a task, which a saga makes from it; `details.taskId`. @throws CommandRefused */
export async function turnIntoTask(room: Room, id: string, context: StepContext): Promise<CommandAnswer> {
  const { issue } = room.aggregates;
  const before = await issue.load(id);
  const taskId = derivedId('task', context.commandId);
  let ended = false;
  if (recall(before.commands, context.commandId, context.commandHash) === undefined) {
    const { status, repository, task } = before.state;
    checkRevision(before, context);
    if (status !== 'missing' && repository === null)
      refuse('unknown-repository', 'a task is done in a repository, and this issue has none', { repository });
    checkRepository(room, repository);
    if (task !== null)
      ended = ['complete', 'failed', 'cancelled'].includes((await room.tasks.load(task.taskId)).state.status);
  }
  const answer = await issue.handle(id, { type: 'issue.turn-into-task', data: { taskId, ended } }, context);
  return { ...answer, details: { taskId } };
}

const URGENCY = { critical: 1, high: 2, medium: 3, low: 4 } as const;

/** Creates the task that an issue was turned into. @throws CommandRefused */
export async function createTaskFromIssue(
  room: Room,
  taskId: string,
  { issueId }: CommandData<'task.create-from-issue'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { details, repository, reporter, task } = (await room.aggregates.issue.load(issueId)).state;
  if (task?.taskId !== taskId)
    refuse('unknown-reference', `issue ${issueId} is not task ${taskId}`, { field: 'issueId', issueId });
  const { title, description, priority, labels, capabilities } = details;
  const data = parseData(taskCommands['task.create'].data, {
    ...{ title, description, labels, capabilities, repository, requester: reporter },
    priority: URGENCY[priority],
    source: { kind: 'api', reference: `issue/${issueId}`, url: null },
  });
  const created = { ...(await withEstimate(room, data)), issueId };
  return room.tasks.handle(taskId, creation(room, created), context);
}

/** Says something about an issue that is there. @throws CommandRefused */
export async function createComment(...[room, id, data, context]: Handled<'comment.create'>): Promise<CommandAnswer> {
  const { issue, comment } = room.aggregates;
  const { issueId } = data;
  const { status, repository } = (await issue.load(issueId)).state;
  if (status === 'missing')
    refuse('unknown-reference', `issueId: there is no issue ${issueId}`, { field: 'issueId', issueId });
  return comment.handle(id, { type: 'comment.create', data: { ...data, repository } }, context);
}
