import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import type { ApprovalChoice } from '@workledger/shared/contexts/task/question/events.ts';
import type { QuestionState } from '@workledger/shared/contexts/task/question/state.ts';
import type { Said } from '../domain/task.ts';
import { powersOf } from './questions.ts';
import type { Room } from './room.ts';
import { joinTokens, step, type StepContext } from './step.ts';

/**
 * Asks for the approval of a commit, unless that was asked before. `details.stands` tells a run how it stands: it is asked, it is
 * approved, or this question was about another run's attempt and ended otherwise.
 * @throws CommandRefused
 */
export async function askApproval(
  room: Room,
  questionId: string,
  data: CommandData<'question.ask-approval'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { details, repository } = (await room.tasks.load(data.taskId)).state;
  const text = `May commit ${data.commit.slice(0, 12)} be merged? It does "${details.title}", and its tests have passed.`;
  const makers = await makersOf(room, data.taskId);
  const command = { type: 'question.ask-approval', data: { ...data, repository, text, makers } } as const;
  // First the task: whoever sees the question finds that the task waits for it. The run tells that once more, which is nothing then.
  const { taskId, runId: claimId, commit } = data;
  const isNew = (await room.questions.load(questionId)).state.status === 'missing';
  const awaiting = { type: 'task.await-approval', data: { claimId, questionId, commit } } as const;
  const told = isNew ? await room.tasks.handle(taskId, awaiting, step(context, 'await')) : { token: '' };
  const answer = await room.questions.handle(questionId, command, context);
  const { state } = await room.questions.load(questionId);
  return { ...answer, token: joinTokens(answer, told), details: { stands: standing(state, claimId) } };
}

function standing({ asked, answer, status }: QuestionState, runId: string): 'asked' | 'approved' | 'over' {
  if (status === 'answered' && answer?.choice === 'approve') return 'approved';
  return asked?.runId === runId && status !== 'withdrawn' ? 'asked' : 'over';
}

/** Who made the work: its agent, and whoever submitted it in the agent's name. A retry from a later step goes on with what others made. */
async function makersOf({ tasks, log }: Room, taskId: string): Promise<readonly string[]> {
  const { claim } = (await tasks.load(taskId)).state;
  const agent = claim === null ? [] : [`agent:${claim.agentId}`];
  let submitters: string[] = [];
  for await (const { type, data, metadata } of log.readStream(streamName('task', taskId), { direction: 'backward' })) {
    if (type === 'TaskWorkSubmitted' && !metadata.actor.startsWith('saga:')) submitters.push(metadata.actor);
    if (type !== 'TaskClaimed') continue;
    if ((data as { from?: string }).from === undefined) break;
    submitters = [];
  }
  return [...new Set([...agent, ...submitters])];
}

/**
 * Answers the approval that a task waits for. The answer's receipt is the question's: the task follows when its run goes on.
 * @throws CommandRefused `illegal-transition` where nobody waits for one, or for one of another commit
 */
export async function decideApproval(
  room: Room,
  taskId: string,
  { choice, words, commit }: { choice: ApprovalChoice; words: string | null; commit?: string | undefined },
  context: StepContext,
): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  const { status, approvals } = task.state;
  if (status === 'missing') refuse('not-found', 'there is no such task');
  const answering = step(context, 'answer');
  const answer = (questionId: string): Promise<CommandAnswer> =>
    room.questions.handle(
      questionId,
      { type: 'question.answer', data: { choice, words, powers: powersOf(context) } },
      answering,
    );
  for (const { questionId } of approvals) {
    const { commands } = await room.questions.load(questionId);
    if (recall(commands, answering.commandId, context.commandHash) !== undefined) return answer(questionId);
  }
  checkRevision(task, context);
  const newest = approvals.at(-1);
  const isThere = newest !== undefined && (await room.questions.load(newest.questionId)).revision >= 0;
  const isAsked = status === 'validation' && isThere;
  if (!isAsked) return refuse('illegal-transition', 'this task waits for no approval', { status });
  if (commit !== undefined && commit !== newest.commit)
    refuse('illegal-transition', `the approval that is asked for is of commit ${newest.commit}`, {
      commit: newest.commit,
    });
  return answer(newest.questionId);
}

/** Sends work back that is to be approved, or begins anew what failed or was cancelled; the next attempt reads the words. @throws CommandRefused */
export async function askChanges(
  room: Room,
  taskId: string,
  data: CommandData<'task.ask-changes'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { state, commands } = await room.tasks.load(taskId);
  const isRepeat = recall(commands, context.commandId, context.commandHash) !== undefined;
  if (
    isRepeat ||
    ((state.status === 'failed' || state.status === 'cancelled') && !(await wasAnswer(room, taskId, context)))
  )
    return room.tasks.handle(taskId, { type: 'task.ask-changes', data }, context);
  return decideApproval(room, taskId, { choice: 'send-back', words: data.words }, context);
}

/** Whether this very command has answered an approval of the task before. */
async function wasAnswer(room: Room, taskId: string, context: StepContext): Promise<boolean> {
  const { commandId } = step(context, 'answer');
  for (const { questionId } of (await room.tasks.load(taskId)).state.approvals)
    if ((await room.questions.load(questionId)).commands.has(commandId)) return true;
  return false;
}

/** What was said in the answer to an approval. The words go from the question's stream to the task's, and nowhere else. */
export async function saidIn(room: Room, taskId: string, questionId: string | undefined): Promise<Said> {
  if (questionId === undefined) return {};
  const { asked, answer } = (await room.questions.load(questionId)).state;
  if (asked?.taskId !== taskId || answer === null)
    return refuse('unknown-reference', `question ${questionId} has no answer about task ${taskId}`, { questionId });
  return {
    ...(answer.words !== null && { words: answer.words }),
    ...(answer.answeredBy !== null && { by: answer.answeredBy }),
  };
}
