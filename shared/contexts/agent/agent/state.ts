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
  /** It takes no task before this time, and how often it was let rest in a row; null: it never was, or worked since. */
  readonly rest: { readonly until: string; readonly times: number } | null;
  /** Task by claim. */
  readonly reservations: ReadonlyMap<string, string>;
};

export type AgentStatus =
  | 'missing'
  | 'deregistered'
  | 'inactive'
  | 'error'
  | 'disconnected'
  | 'resting'
  | 'busy'
  | 'active'
  | 'idle';

const noAgent: AgentState = {
  registration: null,
  deregistered: false,
  connected: true,
  active: true,
  error: null,
  rest: null,
  reservations: new Map(),
};

/**
 * `idle` holds nothing, `busy` can hold no more, `active` lies between; what keeps it from working comes first.
 * @param at milliseconds since 1970: whether it rests then
 */
export function agentStatus(state: AgentState, at: number): AgentStatus {
  if (state.registration === null) return 'missing';
  if (state.deregistered) return 'deregistered';
  if (!state.active) return 'inactive';
  if (state.error !== null) return 'error';
  if (!state.connected) return 'disconnected';
  if (isResting(state, at)) return 'resting';
  if (state.reservations.size >= state.registration.capacity) return 'busy';
  return state.reservations.size === 0 ? 'idle' : 'active';
}

export const isResting = ({ rest }: AgentState, at: number): boolean => rest !== null && at < Date.parse(rest.until);

function evolve(state: AgentState, event: AgentEvent): AgentState {
  switch (event.type) {
    case 'AgentRegistered':
      return { ...noAgent, registration: event.data, reservations: state.reservations };
    case 'AgentChanged':
      return { ...state, registration: { ...state.registration, ...event.data } as Registration };
    case 'AgentReserved':
      return { ...state, reservations: new Map(state.reservations).set(event.data.claimId, event.data.taskId) };
    case 'AgentReleased':
      return {
        ...state,
        rest: SUCCESSES.has(event.data.reason) ? null : state.rest,
        reservations: without(state.reservations, event.data.claimId),
      };
    case 'AgentDisconnected':
      return { ...state, connected: false };
    case 'AgentReconnected':
      return { ...state, connected: true };
    case 'AgentErrorReported':
      return { ...state, error: event.data.message };
    case 'AgentErrorCleared':
      return { ...state, error: null };
    case 'AgentRested':
      return { ...state, rest: { until: event.data.until, times: (state.rest?.times ?? 0) + 1 } };
    case 'AgentDeactivated':
      return { ...state, active: false };
    case 'AgentActivated':
      return { ...state, active: true };
    case 'AgentDeregistered':
      return { ...state, deregistered: true };
  }
}

/** Why a claim ended under which the agent did its work: the event of the task that ended it. */
const SUCCESSES: ReadonlySet<string> = new Set(['TaskCompleted']);

const without = (reservations: ReadonlyMap<string, string>, claimId: string): ReadonlyMap<string, string> =>
  new Map([...reservations].filter(([id]) => id !== claimId));

type Written = Omit<AgentState, 'reservations'> & { readonly reservations: readonly (readonly [string, string])[] };

const snapshot: SnapshotForm<AgentState> = {
  version: 2,
  write: (state) => ({ ...state, reservations: [...state.reservations] }) satisfies Written,
  read: (written) => {
    const state = written as Written;
    return { ...state, reservations: new Map(state.reservations) };
  },
};

export const agentFold: Fold<AgentState, AgentEvent> = { type: 'agent', initial: noAgent, evolve, snapshot };
