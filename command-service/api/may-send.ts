import { commandTypes, declarationOf, isSentBy, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { UUID_PATTERN } from '@workledger/shared/contexts/text.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { agentOf } from '../domain/agent.ts';

/** Which roles may send a command over HTTP in their own name, as it was declared. */
export const rolesOf = (type: CommandType): readonly Role[] => declarationOf(type).roles ?? [];

/** The roles that may send at least one command of those that need no route of their own. */
export const sendingRoles: readonly Role[] = [
  ...new Set(commandTypes.filter((type) => declarationOf(type).alone !== true).flatMap(rolesOf)),
];

/** About things of which each belongs to one repository, or none: a key that is limited to repositories may send them. */
export const isOfRepository = (type: CommandType): boolean =>
  /^(task|issue|comment|knowledge|message|inbox|question|webhook|routing|workflow|workflow-run|document|dispatch)\./.test(
    type,
  );

/**
 * Why this caller may not send this command; null when it may. A key of role `agent` is bound to its agent: it commands that agent
 * and claims for it. That a claim is its own, which only the task knows, the handler checks by the actor; that a task is within the
 * repositories that a key is limited to, it checks by the task.
 */
export function reasonToForbid(
  principal: Principal,
  command: { readonly type: CommandType; readonly target: string; readonly data: unknown },
): string | null {
  if (!rolesOf(command.type).includes(principal.role)) return `role ${principal.role} may not send ${command.type}`;
  if (command.type === 'user.rename' && principal.actor !== `user:${command.target}`)
    return 'a user changes their own name only';
  const isOfOne = isOfRepository(command.type) || principal.role === 'agent';
  if (principal.repositories !== null && !isOfOne)
    return `a key that is limited to repositories may not send ${command.type}`;
  if (principal.role !== 'agent') return null;
  const agentId = agentOf(command);
  const isOwn = principal.agentId !== null && (agentId === null || agentId === principal.agentId);
  return isOwn ? null : 'the key of an agent speaks for that agent only';
}

/** Every command that a key of role `service` may send, for a saga or for an agent that its process runs. */
export const serviceCommands: readonly CommandType[] = commandTypes.filter(
  (type) => isSentBy('saga', type) || isSentBy('agent', type),
);

/** In whose name a service may speak: a saga's stream, or an agent. Never a key's owner, never the system. */
export const serviceActor = new RegExp(`^(?:saga:saga(?:-[a-z0-9]+)*-${UUID_PATTERN}|agent:${UUID_PATTERN})$`);

/** May this actor, of the form above, send this command? */
export const maySend = (actor: string, type: CommandType): boolean =>
  isSentBy(actor.startsWith('saga:') ? 'saga' : 'agent', type);
