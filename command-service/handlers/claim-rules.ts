import type { Loaded } from '@workledger/shared/aggregate/handle.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { waitsFor } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import type { Room } from './room.ts';

/**
 * Whether the log, as it is now, lets this agent have this task: waiting to be done, within what the agent can do (a command
 * needs a repository to run in), and everything that it waits for complete (which is final). @throws CommandRefused
 */
export async function checkClaimable(
  room: Room,
  taskId: string,
  { state }: Loaded<TaskState>,
  agent: AgentState,
): Promise<void> {
  const { status } = state;
  if (status === 'missing') refuse('not-found', 'there is no such task');
  if (status !== 'pending' || state.subtasks.length > 0)
    refuse('illegal-transition', 'only a pending task without subtasks can be claimed', {
      status,
      expanded: state.subtasks.length > 0,
    });
  if (state.repository === null && agent.registration?.runtime === 'command')
    refuse('missing-capability', 'an agent that is run as a command works in a repository, and this task has none', {
      repository: null,
    });
  const can = agent.registration?.capabilities ?? [];
  const missing = state.capabilities.filter((capability) => !can.includes(capability));
  if (missing.length > 0)
    refuse('missing-capability', `this task needs ${missing.join(', ')}, which the agent does not have`, { missing });
  const waitingFor = await incomplete(room, taskId, state.repository);
  if (waitingFor.length > 0) refuse('blocked', `this task waits for ${waitingFor.join(', ')}`, { waitingFor });
}

async function incomplete(room: Room, taskId: string, repository: string | null): Promise<readonly string[]> {
  const edges = (await room.dependencies.load(dependenciesId(repository))).state;
  const ids = waitsFor(edges, taskId);
  const tasks = await Promise.all(ids.map((id) => room.tasks.load(id)));
  return ids.filter((_, index) => tasks[index]?.state.status !== 'complete');
}
