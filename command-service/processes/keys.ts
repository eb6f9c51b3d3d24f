import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { covers } from '@workledger/shared/contexts/agent/user/state.ts';
import { isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import { step, type StepContext, unchanged } from './step.ts';

const TEN_YEARS = 10 * 365.25 * 86_400_000;

/** Creates a key; until when and for which repositories it is valid is checked here, once. @throws CommandRefused */
export async function createKey(
  room: Room,
  keyId: string,
  data: CommandData<'key.create'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { commands } = await room.aggregates.key.load(keyId);
  if (recall(commands, context.commandId, context.commandHash) === undefined) {
    checkLimits(room, data);
    await checkUser(room, data);
  }
  return room.aggregates.key.handle(keyId, { type: 'key.create', data }, context);
}

function checkLimits(room: Room, { expiresAt, repositories }: CommandData<'key.create'>): void {
  const left = expiresAt === null || expiresAt === undefined ? TEN_YEARS : Date.parse(expiresAt) - room.now();
  if (left <= 0 || left > TEN_YEARS) {
    const message = 'a key expires in the future, and at most ten years ahead';
    refuse('out-of-range', message, { errors: [{ path: 'expiresAt', message }] });
  }
  const unknown = repositories?.find((repository) => !isKnownRepository(room, repository));
  if (unknown !== undefined)
    refuse('unknown-repository', `repository "${unknown}" is not registered: add it to the configuration`, {
      repository: unknown,
    });
}

/** Whether there is a person behind it, and may do what the key is to do. @throws CommandRefused */
async function checkUser(room: Room, { userId, role }: CommandData<'key.create'>): Promise<void> {
  if (userId === null || userId === undefined) return;
  const { state } = await room.aggregates.user.load(userId);
  if (state?.access.state !== 'active')
    refuse(
      'unknown-reference',
      `userId: ${state === null ? 'there is no user' : `${state.access.state} is user`} ${userId}`,
      {
        field: 'userId',
        userId,
      },
    );
  else if (!covers(state.access.role, role)) {
    const message = `a key of a user of role ${state.access.role} cannot have role ${role}`;
    refuse('out-of-range', message, { errors: [{ path: 'role', message }] });
  }
}

/**
 * Revokes a key, then removes the hash of a user's. Killed in between, or while the table is away, the key is refused all the same, and
 * the same command again removes what is left.
 * @throws CommandRefused
 */
export async function revokeKey(
  room: Room,
  keyId: string,
  data: CommandData<'key.revoke'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { key } = room.aggregates;
  const answer = await key.handle(keyId, { type: 'key.revoke', data }, context);
  if ((await key.load(keyId)).state?.userId != null) await room.secrets.dropAll(keyId);
  return answer;
}

/**
 * Deregisters an agent, then revokes its keys. Between the two, and where the process was killed there, they are refused all the
 * same: who authenticates looks at the agent. What is left is revoked by `agent.finish-deregistration`.
 * @throws CommandRefused
 */
export async function deregisterAgent(
  room: Room,
  agentId: string,
  data: CommandData<'agent.deregister'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const answer = await room.agents.handle(agentId, { type: 'agent.deregister', data }, context);
  await revokeKeysOf(room, agentId, context);
  return answer;
}

/** Revokes what is left of the keys of an agent that is deregistered, as the log has it. @throws CommandRefused */
export async function finishDeregistration(room: Room, agentId: string, context: StepContext): Promise<CommandAnswer> {
  const agent = await room.agents.load(agentId);
  if (agent.state.deregistered) await revokeKeysOf(room, agentId, context);
  return unchanged(agentId, agent);
}

export async function revokeKeysOf(room: Room, agentId: string, context: StepContext): Promise<void> {
  for (const keyId of await room.keysOf(agentId)) {
    const command = { type: 'key.revoke', data: { reason: 'its agent was deregistered' } } as const;
    try {
      await room.aggregates.key.handle(keyId, command, step(context, 'revoke', keyId));
    } catch (error) {
      // A read model of another log: there is nothing to revoke.
      if (!(error instanceof CommandRefused && error.code === 'not-found')) throw error;
    }
  }
}
