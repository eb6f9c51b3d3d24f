import { newId } from '@workledger/shared/contexts/stream.ts';
import { ask, type WriteSide } from '../testing.ts';

type Side = Pick<WriteSide, 'commands'>;

export async function create(side: Side, data: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const taskId = newId();
  await ask(side, 'task.create', taskId, { title: 'Make it fast', repository: 'sample', ...data });
  return taskId;
}

export async function register(side: Side, data: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const agentId = newId();
  await ask(side, 'agent.register', agentId, { name: 'worker', capabilities: ['code'], capacity: 50, ...data });
  return agentId;
}

/** Claims a task for an agent; answers the claim's id. */
export async function claim(side: Side, taskId: string, agentId: string): Promise<string> {
  const { details } = await ask(side, 'task.claim', taskId, { agentId });
  return details['claimId'] as string;
}

/** Carries a task from claim to completion. */
export async function complete(
  side: Side,
  taskId: string,
  agentId: string,
  result: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const claimId = await claim(side, taskId, agentId);
  await ask(side, 'task.submit', taskId, { claimId, commit: null });
  const nothing = {
    commit: null,
    branch: null,
    merged: false,
    diffStat: null,
    metricsBefore: null,
    metricsAfter: null,
  };
  await ask(side, 'task.complete', taskId, {
    claimId,
    result: { ...nothing, costUsd: null, durationMs: 1, ...result },
  });
  await ask(side, 'agent.release', agentId, { claimId, reason: 'complete' });
}
