import { z } from 'zod';
import { UUID_PATTERN } from './text.ts';

/** A person or agent, as `principal.actor` names whoever asks: `agent:<uuid>`, `user:<uuid>`, or `key:<uuid>` of a key that is nobody's. */
export const participant = z
  .string()
  .toLowerCase()
  .regex(new RegExp(`^(?:agent|key|user):${UUID_PATTERN}$`), 'agent:<uuid>, user:<uuid> or key:<uuid>');

export type ParticipantKind = 'agent' | 'key' | 'user';

/** The parts of a participant that is known to be well formed. */
export function parseParticipant(text: string): { readonly kind: ParticipantKind; readonly id: string } {
  const at = text.indexOf(':');
  return { kind: text.slice(0, at) as ParticipantKind, id: text.slice(at + 1) };
}
