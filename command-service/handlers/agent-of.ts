import type { CommandType } from '@workledger/shared/commands/catalogue.ts';

/** The agent that a command speaks for; null when it is for a task, under a claim or not. */
export function agentOf({ type, target, data }: { type: CommandType; target: string; data: unknown }): string | null {
  if (type.startsWith('agent.')) return target.toLowerCase();
  return type === 'task.claim' ? (data as { agentId: string }).agentId.toLowerCase() : null;
}
