import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import type { Powers } from '../domain/question.ts';
import { holds } from '../domain/task.ts';
import { demandParticipant } from './participants.ts';
import { isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import { unchanged, type StepContext } from './step.ts';

/** What the key of whoever asks is good for. */
export const powersOf = ({ caller }: StepContext): Powers => caller ?? { role: null, teams: [] };

/**
 * Asks a person, a role or a team. An agent asks about the task that it holds; a task that has ended waits for nothing.
 * @throws CommandRefused
 */
export async function askQuestion(
  room: Room,
  questionId: string,
  { claimId, deadline, ...data }: CommandData<'question.ask'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const before = await room.questions.load(questionId);
  const isFirst = recall(before.commands, context.commandId, context.commandHash) === undefined;
  if (isFirst && before.revision < 0) {
    checkRevision(before, context);
    if (data.askee.kind === 'participant') await demandParticipant(room, data.askee.participant, 'askee');
  }
  const task = data.taskId === null ? null : (await room.tasks.load(data.taskId)).state;
  if (isFirst) demandMayAsk(room, { ...data, claimId }, task, context);
  const repository = task === null ? data.repository : task.repository;
  const asked = { ...data, repository, deadline: deadline && deadlineOf(deadline, room.now()) };
  return room.questions.handle(questionId, { type: 'question.ask', data: asked }, context);
}

/** Asks what a run cannot decide. @throws CommandRefused */
export async function askChoice(
  room: Room,
  questionId: string,
  { commit: _, ...data }: CommandData<'question.ask-choice'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { repository } = (await room.tasks.load(data.taskId)).state;
  return room.questions.handle(questionId, { type: 'question.ask-choice', data: { ...data, repository } }, context);
}

type Asking = Pick<CommandData<'question.ask'>, 'taskId' | 'claimId' | 'repository'>;

function demandMayAsk(room: Room, asking: Asking, task: TaskState | null, context: StepContext): void {
  const { taskId, claimId, repository } = asking;
  if (task?.status === 'missing')
    refuse('unknown-reference', `taskId: there is no task ${taskId}`, { field: 'taskId', taskId });
  if (task !== null && repository !== null && repository !== task.repository)
    refuse('out-of-range', 'repository: a question about a task is of its repository', { field: 'repository' });
  if (context.actor.startsWith('agent:') || claimId !== null) {
    if (task === null) refuse('forbidden', 'an agent asks about the task that it holds: name taskId and claimId');
    else holds(task, claimId, context);
  }
  if (task !== null && ['complete', 'failed', 'cancelled'].includes(task.status))
    refuse('illegal-transition', `a task that is ${task.status} waits for no answer`, { status: task.status });
  if (task === null && !isKnownRepository(room, repository))
    refuse('unknown-repository', `there is no repository ${repository}`, { repository });
}

type Deadline = NonNullable<CommandData<'question.ask'>['deadline']>;

function deadlineOf({ seconds, then }: Deadline, now: number) {
  const at = new Date(now + seconds * 1_000).toISOString();
  if (then.do === 'default') return { at, then: then.do, answer: then.answer };
  return then.do === 'escalate' ? { at, then: then.do, role: then.role } : { at, then: then.do };
}

/** Answers, by the powers of whoever does. @throws CommandRefused */
export const answerQuestion = (
  room: Room,
  questionId: string,
  data: CommandData<'question.answer'>,
  context: StepContext,
): Promise<CommandAnswer> =>
  room.questions.handle(questionId, { type: 'question.answer', data: { ...data, powers: powersOf(context) } }, context);

/** Withdraws, by the powers of whoever does. @throws CommandRefused */
export const withdrawQuestion = (
  room: Room,
  questionId: string,
  data: CommandData<'question.withdraw'>,
  context: StepContext,
): Promise<CommandAnswer> =>
  room.questions.handle(
    questionId,
    { type: 'question.withdraw', data: { ...data, powers: powersOf(context) } },
    context,
  );

/** Does what is to happen at a deadline, never before it by the clock that set it. @throws CommandRefused */
export async function meetDeadline(
  room: Room,
  questionId: string,
  { at }: CommandData<'question.meet-deadline'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const now = room.now();
  if (now < Date.parse(at)) return unchanged(questionId, await room.questions.load(questionId), { dueAt: at });
  return room.questions.handle(questionId, { type: 'question.meet-deadline', data: { at, now } }, context);
}
