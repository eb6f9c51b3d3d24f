import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { claimTask } from './claims.ts';
import { retryTask } from './retry-task.ts';
import type { Room } from './room.ts';
import { unchanged, type StepContext } from './step.ts';
import { submitWork } from './submit-and-complete.ts';
import { cancelTask } from './subtasks.ts';

type Wanted = CommandData<'task.set-status'>;

/**
 * The intention that leads to a status, for callers that know no intentions: a retry, a claim, a submission or a cancellation. What it
 * is already is nothing to do; whoever asks for completeness submits, and validation decides.
 * @throws CommandRefused
 */
export async function setStatus(
  room: Room,
  taskId: string,
  wanted: Wanted,
  context: StepContext,
): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  const { state, commands } = task;
  if (state.status === 'missing') refuse('not-found', 'there is no such task');
  const isRepeat = recall(commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat && isSo(state, wanted)) {
    checkRevision(task, context);
    return unchanged(taskId, task, { status: state.status });
  }
  const answer = await carryOut(room, taskId, wanted, state, context);
  return { ...answer, details: { ...answer.details, status: (await room.tasks.load(taskId)).state.status } };
}

/** Submitted work is on its way to be complete. */
const isSo = ({ status }: TaskState, wanted: Wanted): boolean =>
  status === wanted.status || (isEnd(wanted) && (status === 'complete' || status === 'validation'));

const isEnd = ({ status }: Wanted): boolean => status === 'complete' || status === 'completed';

function carryOut(
  room: Room,
  taskId: string,
  { status, agentId, claimId, commit, summary, reason }: Wanted,
  { claim, details }: TaskState,
  context: StepContext,
): Promise<CommandAnswer> {
  switch (status) {
    case 'pending':
      return retryTask(room, taskId, { reason: reason ?? 'retried on request' }, context);
    case 'cancelled':
      return cancelTask(room, taskId, { reason: reason ?? 'cancelled on request' }, context);
    case 'in-progress': {
      const agent = agentId ?? agentOf(details.assignee);
      if (agent === null)
        return refuse('out-of-range', 'agentId: whoever works on it is an agent; name it here or as assignee', {
          field: 'agentId',
        });
      return claimTask(room, taskId, { agentId: agent }, context);
    }
    case 'validation':
    case 'complete':
    case 'completed': {
      const held = claimId ?? claim?.claimId ?? null;
      if (held === null)
        return refuse('illegal-transition', 'nobody works on it: a task completes by what is submitted', { status });
      return submitWork(room, taskId, { claimId: held, commit, summary }, context);
    }
  }
}

const agentOf = (assignee: string | null): string | null => /^agent:([0-9a-f-]{36})$/.exec(assignee ?? '')?.[1] ?? null;
