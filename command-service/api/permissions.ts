import type { CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import type { Principal } from '@workledger/shared/security/principal.ts';

const nobody: readonly Role[] = [];
const administrators: readonly Role[] = ['admin'];
const operators: readonly Role[] = ['operator', 'admin'];
const workers: readonly Role[] = ['agent', 'operator', 'admin'];

/**
 * Which roles may send a command over HTTP in their own name. `nobody`: only the system's own processes send it; what they may over
 * HTTP, in the name of sagas and agents, says `service/service-commands.ts`. A command that is not here does not compile.
 */
export const permissions: Readonly<Record<CommandType, readonly Role[]>> = {
  'task.create': operators,
  'task.change': operators,
  'task.add-dependency': operators,
  'task.remove-dependency': operators,
  'task.expand': operators,
  'task.claim': workers,
  'task.renew': workers,
  'task.report-progress': workers,
  'task.submit': workers,
  'task.release': workers,
  'task.cancel': operators,
  'task.retry': operators,
  'task.create-from-delivery': nobody,
  'task.send-back': nobody,
  'task.expire-claim': nobody,
  'task.complete': nobody,
  'task.complete-parent': nobody,
  'task.fail': nobody,

  'agent.register': operators,
  'agent.change': operators,
  'agent.beat': workers,
  'agent.claim-next': workers,
  'agent.report-error': workers,
  'agent.clear-error': workers,
  'agent.deactivate': operators,
  'agent.activate': operators,
  'agent.deregister': operators,
  'agent.reserve': nobody,
  'agent.release': nobody,
  'agent.disconnect': nobody,

  'key.create': administrators,
  'key.revoke': administrators,

  'generation.request': nobody,
  'generation.start-attempt': nobody,
  'generation.fail-attempt': nobody,
  'generation.succeed': nobody,
  'generation.cancel': nobody,
  'evolution.start': nobody,
  'evolution.record-candidate': nobody,
  'evolution.fail-candidate': nobody,
  'evolution.fail': nobody,
  'evolution.cancel': nobody,
  'validation.request': nobody,
  'validation.pass': nobody,
  'validation.fail': nobody,
  'validation.cancel': nobody,
  'delivery.receive': nobody,
};

/** The roles that may send at least one command. */
export const sendingRoles: readonly Role[] = [...new Set(Object.values(permissions).flat())];

/**
 * Why this caller may not send this command; null when it may. A key of role `agent` is bound to its agent: it commands that agent
 * and claims for it. That a claim is its own, which only the task knows, the handler checks by the actor.
 */
export function reasonToForbid(
  principal: Principal,
  command: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): string | null {
  if (!permissions[command.type].includes(principal.role)) return `role ${principal.role} may not send ${command.type}`;
  if (principal.role !== 'agent') return null;
  const agentId = agentOf(command);
  const isOwn = principal.agentId !== null && (agentId === null || agentId === principal.agentId);
  return isOwn ? null : 'the key of an agent speaks for that agent only';
}

/** The agent that a command is for; null when it is for a task under a claim. */
function agentOf({
  type,
  target,
  data,
}: {
  readonly type: CommandType;
  readonly target: string;
  readonly data: unknown;
}) {
  if (type.startsWith('agent.')) return target.toLowerCase();
  return type === 'task.claim' ? (data as { agentId: string }).agentId.toLowerCase() : null;
}
