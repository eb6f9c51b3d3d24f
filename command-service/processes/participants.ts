import { refuse } from '@workledger/shared/commands/refusal.ts';
import { parseParticipant } from '@workledger/shared/contexts/participant.ts';
import type { Room } from './room.ts';

/** Whom something is for must be there, as the log has it. @throws CommandRefused `unknown-reference` */
export async function demandParticipant(room: Room, participant: string, field: string): Promise<void> {
  const { kind, id } = parseParticipant(participant);
  const isThere = kind === 'agent' ? isAgentThere : kind === 'key' ? isKeyThere : isUserThere;
  if (await isThere(room, id)) return;
  const message = `there is no ${participant}: name somebody who is there`;
  refuse('unknown-reference', `${field}: ${message}`, { participant, errors: [{ path: field, message }] });
}

async function isAgentThere({ agents }: Room, id: string): Promise<boolean> {
  const { registration, deregistered } = (await agents.load(id)).state;
  return registration !== null && !deregistered;
}

/** A key that is nobody's: one of an agent or a user reads their inbox. */
async function isKeyThere({ aggregates }: Room, id: string): Promise<boolean> {
  const { state } = await aggregates.key.load(id);
  if (state === null || state.revoked || state.role === 'service') return false;
  return state.agentId === null && state.userId === null;
}

/** Also one that is suspended, and reads it later. */
async function isUserThere({ aggregates }: Room, id: string): Promise<boolean> {
  return (await aggregates.user.load(id)).state !== null;
}
