import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import type { agentCommands } from '@workledger/shared/contexts/agent/agent/commands.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { CommandType } from '@workledger/shared/commands/catalogue.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import { agentFold, agentStatus, type AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';

/** `agent.reconnect` is the part of a sign of life that the log is to know. */
export type AgentDecisions = Omit<
  DataOf<typeof agentCommands>,
  | 'agent.beat'
  | 'agent.claim-next'
  | 'agent.release-unclaimed'
  | 'agent.finish-deregistration'
  | 'agent.leave-issues'
  | 'agent.reserve'
  | 'agent.rest'
> & {
  /** `at`: milliseconds since 1970, when it is asked for; without it an agent that was let rest rests. */
  'agent.reserve': { claimId: string; taskId: string; at?: number };
  'agent.rest': { until: string | null; reason: string; at: number };
  'agent.reconnect': Record<string, never>;
};

/**
 * Who does the work, and how much of it at once. Disconnected, inactive and in error exclude one another not: each is ended by
 * its own opposite. A deregistered agent keeps its reservations until its claims, which it can no longer renew, have expired.
 */
export const agent: Aggregate<AgentState, AgentEvent, AgentDecisions> = {
  ...agentFold,
  decisions: {
    'agent.register': (data, state) => {
      if (state.registration === null || state.deregistered) return [{ type: 'AgentRegistered', data }];
      const { name, kind, runtime } = state.registration;
      if (name !== data.name || kind !== data.kind || runtime !== data.runtime)
        refuse('already-exists', 'this agent is registered with another name, kind or runtime', {
          name,
          kind,
          runtime,
        });
      return [...changes(state, data), ...reconnection(state)];
    },
    'agent.change': (data, state) => {
      registered(state);
      return changes(state, data);
    },
    'agent.reserve': ({ claimId, taskId, at = 0 }, state) => {
      registered(state);
      if (state.reservations.has(claimId)) return [];
      free(state, at);
      return [{ type: 'AgentReserved', data: { claimId, taskId } }];
    },
    'agent.release': ({ claimId, reason }, state) => {
      exists(state);
      const taskId = state.reservations.get(claimId);
      return taskId === undefined ? [] : [{ type: 'AgentReleased', data: { claimId, taskId, reason } }];
    },
    'agent.disconnect': (data, state) => {
      exists(state);
      return state.connected && !state.deregistered ? [{ type: 'AgentDisconnected', data }] : [];
    },
    'agent.reconnect': (_, state) => {
      registered(state);
      return reconnection(state);
    },
    'agent.report-error': (data, state) => {
      registered(state);
      return state.error === data.message ? [] : [{ type: 'AgentErrorReported', data }];
    },
    'agent.clear-error': (_, state) => {
      registered(state);
      return state.error === null ? [] : [{ type: 'AgentErrorCleared', data: {} }];
    },
    'agent.rest': ({ until, reason, at }, state) => {
      registered(state);
      const ends = restEnd(state, until, at);
      return ends === null ? [] : [{ type: 'AgentRested', data: { until: ends.toISOString(), reason } }];
    },
    'agent.deactivate': (data, state) => {
      registered(state);
      return state.active ? [{ type: 'AgentDeactivated', data }] : [];
    },
    'agent.activate': (_, state) => {
      registered(state);
      return state.active ? [] : [{ type: 'AgentActivated', data: {} }];
    },
    'agent.deregister': (data, state) => {
      exists(state);
      return state.deregistered ? [] : [{ type: 'AgentDeregistered', data }];
    },
  },
};

function exists(state: AgentState): void {
  if (state.registration === null) refuse('not-found', 'there is no such agent');
}

/** Whether it is there to give a sign of life, or to change. @throws CommandRefused */
export function registered(state: AgentState): void {
  exists(state);
  if (state.deregistered)
    refuse('illegal-transition', 'this agent is deregistered: register it again', { status: 'deregistered' });
}

/** Whether it can take another task now. @throws CommandRefused */
export function free(state: AgentState, at: number): void {
  const status = agentStatus(state, at);
  if (status === 'idle' || status === 'active') return;
  const until = status === 'resting' ? { restingUntil: state.rest?.until ?? null } : {};
  refuse('no-capacity', `an agent that is ${status} cannot take another task`, { status, ...until });
}

const MINUTE = 60_000;
const LONGEST_PAUSE = 60 * MINUTE;
/** No limit of use is longer, whatever is said. */
const LONGEST_REST = 7 * 24 * LONGEST_PAUSE;

/**
 * When the rest ends: when the limit does, or, where nobody told, after 1, 2, 4 … 60 minutes, from one again when it worked or an hour
 * went by in between. null: it rests as long already. What ran beside the first that met the limit tells nothing new.
 */
function restEnd({ rest }: AgentState, until: string | null, now: number): Date | null {
  const last = rest === null ? 0 : Date.parse(rest.until);
  // A time that is past already tells nothing.
  if (until !== null && Date.parse(until) > now) {
    const end = Math.min(Date.parse(until), now + LONGEST_REST);
    return end > last ? new Date(end) : null;
  }
  if (last > now) return null;
  const times = rest === null || now - last > LONGEST_PAUSE ? 0 : rest.times;
  return new Date(now + Math.min(LONGEST_PAUSE, MINUTE * 2 ** Math.min(times, 10)));
}

const reconnection = (state: AgentState): AgentEvent[] =>
  state.connected ? [] : [{ type: 'AgentReconnected', data: {} }];

function changes(state: AgentState, data: AgentDecisions['agent.change']): AgentEvent[] {
  const { capabilities, capacity, coordinatorId } = data;
  const current = state.registration;
  const changed = Object.entries({ capabilities, capacity, coordinatorId }).filter(
    ([name, value]) =>
      value !== undefined && canonicalJson(value) !== canonicalJson(current?.[name as keyof typeof current]),
  );
  return changed.length === 0 ? [] : [{ type: 'AgentChanged', data: Object.fromEntries(changed) }];
}

/** The agent that a command speaks for; null when it is for a task, under a claim or not. */
export function agentOf({ type, target, data }: { type: CommandType; target: string; data: unknown }): string | null {
  if (type.startsWith('agent.')) return target.toLowerCase();
  return type === 'task.claim' ? (data as { agentId: string }).agentId.toLowerCase() : null;
}
