import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { KeyEvent, Role } from './events.ts';

/** An API key as its stream tells it; null: there is none. */
export type KeyState = {
  readonly role: Role;
  readonly agentId: string | null;
  readonly secretHash: string;
  readonly revoked: boolean;
} | null;

export const keyFold: Fold<KeyState, KeyEvent> = {
  type: 'key',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve: (state, event) => {
    if (event.type === 'KeyRevoked') return state && { ...state, revoked: true };
    const { role, agentId, secretHash } = event.data;
    return { role, agentId, secretHash, revoked: false };
  },
};
