import type { CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { reasonToForbid } from './may-send.ts';

/** Who asks, in which conversation: what every command of a request shares. */
export type Caller = {
  readonly principal: Principal | null;
  readonly correlationId: string;
  readonly traceparent: string;
};

export type CommandRequest = {
  readonly type: CommandType;
  /** The route, as part of what an idempotency key belongs to: `POST /api/v1/tasks`. */
  readonly route: string;
  /** Id of the aggregate; undefined: the command creates one. */
  readonly target: string | undefined;
  /** As the command's schema gave it. */
  readonly data: unknown;
  readonly idempotencyKey: string | undefined;
  readonly expectedRevision: number | undefined;
};

/** The id under which a command takes effect once; undefined without an idempotency key. */
export const commandIdOf = (
  actor: string,
  { route, target, idempotencyKey }: Pick<CommandRequest, 'route' | 'target' | 'idempotencyKey'>,
): string | undefined =>
  idempotencyKey === undefined ? undefined : derivedId('command', actor, route, target ?? '', idempotencyKey);

/** The id of what a command creates: the same for the same command, so that its repeat meets the first one's stream. */
export const createdId = (type: CommandType, commandId: string | undefined): string =>
  commandId === undefined ? newId() : derivedId(aggregateOf(type), commandId);

const aggregateOf = (type: CommandType): string => type.slice(0, type.indexOf('.'));

/**
 * Checks that the caller may, and sends one command.
 * @throws Problem `forbidden`; CommandRefused; what the log throws
 */
export async function sendCommand(commands: Commands, caller: Caller, request: CommandRequest): Promise<CommandAnswer> {
  const principal = knownCaller(caller);
  const commandId = commandIdOf(principal.actor, request);
  const target = request.target ?? createdId(request.type, commandId);
  const command = { type: request.type, target, data: request.data };
  const reason = reasonToForbid(principal, command);
  if (reason !== null) throw new Problem('forbidden', reason);
  return commands.send(command, {
    actor: principal.actor,
    caller: { role: principal.role, teams: principal.teams },
    correlationId: caller.correlationId,
    traceparent: caller.traceparent,
    ...(commandId === undefined ? {} : { commandId }),
    ...(principal.repositories === null ? {} : { repositories: principal.repositories }),
    ...(request.expectedRevision === undefined ? {} : { expectedRevision: request.expectedRevision }),
  });
}

/** @throws Problem `unauthenticated`: a route that sends commands was declared public by mistake */
export function knownCaller({ principal }: Caller): Principal {
  if (principal === null) throw new Problem('unauthenticated', 'commands need a caller');
  return principal;
}
