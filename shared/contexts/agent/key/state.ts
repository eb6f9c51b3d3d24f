import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { KeyEvent, Role } from './events.ts';

/** An API key as its stream tells it; null: there is none. */
export type KeyState = {
  readonly role: Role;
  readonly agentId: string | null;
  /** Null: it is nobody's. */
  readonly userId: string | null;
  /** Null: it is where `secretId` says. */
  readonly secretHash: string | null;
  /** Names the row of the hash, outside the log; null: the hash is here. */
  readonly secretId: string | null;
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
  snapshot: plainSnapshot(4),
  evolve: (state, event) => {
    if (event.type === 'KeyRevoked') return state && { ...state, revoked: true };
    const { role, agentId, userId = null, macKey, expiresAt = null, repositories = null } = event.data;
    const { secretHash = null, secretId = null } = event.data;
    const hasMac = macKey !== undefined;
    return { role, agentId, userId, secretHash, secretId, hasMac, expiresAt, repositories, revoked: false };
  },
};
