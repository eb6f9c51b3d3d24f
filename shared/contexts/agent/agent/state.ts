import type { Fold, SnapshotForm } from '../../define-events.ts';
import type { AgentEvent } from './events.ts';

type Registration = Extract<AgentEvent, { type: 'AgentRegistered' }>['data'];

export type AgentState = {
  /** Null: never registered. */
  readonly registration: Registration | null;
  readonly deregistered: boolean;
  readonly connected: boolean;
  readonly active: boolean;
  readonly error: string | null;
  /** Task by claim. */
  readonly reservations: ReadonlyMap<string, string>;
};

export type AgentStatus =
  'missing' | 'deregistered' | 'inactive' | 'error' | 'disconnected' | 'busy' | 'active' | 'idle';

const noAgent: AgentState = {
  registration: null,
  deregistered: false,
  connected: true,
  active: true,
  error: null,
  reservations: new Map(),
};

/** `idle` holds nothing, `busy` can hold no more, `active` lies between; what keeps it from working comes first. */
export function agentStatus(state: AgentState): AgentStatus {
  if (state.registration === null) return 'missing';
  if (state.deregistered) return 'deregistered';
  if (!state.active) return 'inactive';
  if (state.error !== null) return 'error';
  if (!state.connected) return 'disconnected';
  if (state.reservations.size >= state.registration.capacity) return 'busy';
  return state.reservations.size === 0 ? 'idle' : 'active';
}

function evolve(state: AgentState, event: AgentEvent): AgentState {
  switch (event.type) {
    case 'AgentRegistered':
      return { ...noAgent, registration: event.data, reservations: state.reservations };
    case 'AgentChanged':
      return { ...state, registration: { ...state.registration, ...event.data } as Registration };
    case 'AgentReserved':
      return { ...state, reservations: new Map(state.reservations).set(event.data.claimId, event.data.taskId) };
    case 'AgentReleased':
      return { ...state, reservations: without(state.reservations, event.data.claimId) };
    case 'AgentDisconnected':
      return { ...state, connected: false };
    case 'AgentReconnected':
      return { ...state, connected: true };
    case 'AgentErrorReported':
      return { ...state, error: event.data.message };
    case 'AgentErrorCleared':
      return { ...state, error: null };
    case 'AgentDeactivated':
      return { ...state, active: false };
    case 'AgentActivated':
      return { ...state, active: true };
    case 'AgentDeregistered':
      return { ...state, deregistered: true };
  }
}

const without = (reservations: ReadonlyMap<string, string>, claimId: string): ReadonlyMap<string, string> =>
  new Map([...reservations].filter(([id]) => id !== claimId));

type Written = Omit<AgentState, 'reservations'> & { readonly reservations: readonly (readonly [string, string])[] };

const snapshot: SnapshotForm<AgentState> = {
  version: 1,
  write: (state) => ({ ...state, reservations: [...state.reservations] }) satisfies Written,
  read: (written) => {
    const state = written as Written;
    return { ...state, reservations: new Map(state.reservations) };
  },
};

export const agentFold: Fold<AgentState, AgentEvent> = { type: 'agent', initial: noAgent, evolve, snapshot };
