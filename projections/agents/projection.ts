import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import { agentModel, type AgentRow, type AgentStatus } from '@workledger/shared/contexts/agent/agent/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { agentsMigrations } from './migration.ts';

type Registered = Extract<Recorded<AgentEvent>, { type: 'AgentRegistered' }>;
type Later = Exclude<AgentEvent, { type: 'AgentRegistered' }>;
type Facts = Omit<AgentRow, 'status'>;

/** The agent after the event. */
function foldAgent(row: AgentRow | undefined, event: Recorded<AgentEvent>): AgentRow {
  const at = event.recordedAt.toISOString();
  const facts: Facts =
    event.type === 'AgentRegistered'
      ? registered(row, event, at)
      : {
          ...existing(row, event),
          ...changes(existing(row, event), event, at),
          revision: event.revision,
          updatedAt: at,
        };
  return { ...facts, status: statusOf(facts) };
}

function changes(row: AgentRow, event: Later, at: string): Partial<Facts> {
  switch (event.type) {
    case 'AgentChanged': {
      const { capabilities, capacity, coordinatorId } = event.data;
      return {
        ...(capabilities !== undefined && { capabilities }),
        ...(capacity !== undefined && { capacity }),
        ...(coordinatorId !== undefined && { coordinatorId }),
      };
    }
    case 'AgentReserved': {
      const { claimId, taskId } = event.data;
      return { claims: [...row.claims, { claimId, taskId, since: at }] };
    }
    case 'AgentReleased':
      return { claims: row.claims.filter(({ claimId }) => claimId !== event.data.claimId) };
    case 'AgentDisconnected':
      return { connected: false, lastBeatAt: event.data.lastBeatAt };
    case 'AgentReconnected':
      return { connected: true };
    case 'AgentErrorReported':
      return { error: event.data.message };
    case 'AgentErrorCleared':
      return { error: null };
    case 'AgentRested':
      return { restingUntil: event.data.until, restReason: event.data.reason };
    case 'AgentDeactivated':
      return { enabled: false };
    case 'AgentActivated':
      return { enabled: true };
    case 'AgentDeregistered':
      return { registered: false };
  }
}

function statusOf({ registered, enabled, error, connected, claims, capacity }: Facts): AgentStatus {
  if (!registered) return 'deregistered';
  if (!enabled) return 'inactive';
  if (error !== null) return 'error';
  if (!connected) return 'disconnected';
  if (claims.length === 0) return 'idle';
  return claims.length < capacity ? 'active' : 'busy';
}

/** An agent that comes back after it left keeps the claims that nobody released yet. */
const registered = (row: AgentRow | undefined, { stream, revision, data }: Registered, at: string): Facts => ({
  id: streamId(stream),
  revision,
  ...data,
  claims: row?.claims ?? [],
  connected: true,
  enabled: true,
  registered: true,
  error: null,
  lastBeatAt: null,
  registeredAt: at,
  updatedAt: at,
  restingUntil: null,
  restReason: null,
});

export const agents = defineProjection<AgentRow, Recorded<AgentEvent>>(agentModel, {
  migrations: agentsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldAgent,
});
