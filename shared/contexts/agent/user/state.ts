import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { UserAccess, UserEvent, UserRole } from './events.ts';

/** Null: there is no such user. */
export type UserState = { readonly name: string; readonly email: string | null; readonly access: UserAccess } | null;

function evolve(state: UserState, { type, data }: UserEvent): UserState {
  const { access } = data;
  if (type === 'UserOnboardingRequested' || type === 'UserCreated')
    return { name: data.name, email: data.email, access };
  if (state === null) return null;
  if (type !== 'UserChanged') return { ...state, access };
  const { name = state.name, email = state.email } = data;
  return { name, email, access };
}

export const userFold: Fold<UserState, UserEvent> = { type: 'user', initial: null, snapshot: plainSnapshot(1), evolve };

/** What a key of a user may be. An agent's key speaks for an agent, and is nobody's. */
const COVERED: Readonly<Record<UserRole, readonly UserRole[]>> = {
  viewer: ['viewer'],
  agent: ['viewer'],
  operator: ['viewer', 'operator'],
  auditor: ['viewer', 'auditor'],
  admin: ['viewer', 'operator', 'auditor', 'admin'],
};

/** Whether whoever has a role may do all that another one may. */
export const covers = (role: UserRole, other: string): boolean => COVERED[role].some((covered) => covered === other);

/** What a key may do as of now: what both its own role and its user's allow. */
export function commonRole(ofUser: UserRole, ofKey: UserRole): UserRole {
  if (covers(ofUser, ofKey)) return ofKey;
  return covers(ofKey, ofUser) ? ofUser : 'viewer';
}
