import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { KeyEvent, Role } from './events.ts';

/** An API key as its stream tells it; null: there is none. */
export type KeyState = {
  readonly role: Role;
  readonly agentId: string | null;
  /** Null: it is nobody's. */
  readonly userId: string | null;
  readonly secretHash: string;
  /** It was made with a MAC: without one it is none of ours. */
  readonly hasMac: boolean;
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null;
  /** Null: all. */
  readonly repositories: readonly string[] | null;
  readonly revoked: boolean;
} | null;

export const keyFold: Fold<KeyState, KeyEvent> = {
  type: 'key',
  initial: null,
  snapshot: plainSnapshot(3),
  evolve: (state, event) => {
    if (event.type === 'KeyRevoked') return state && { ...state, revoked: true };
    const { role, agentId, userId = null, secretHash, macKey, expiresAt = null, repositories = null } = event.data;
    const hasMac = macKey !== undefined;
    return { role, agentId, userId, secretHash, hasMac, expiresAt, repositories, revoked: false };
  },
};
