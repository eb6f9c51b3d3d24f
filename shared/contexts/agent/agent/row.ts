import type { z } from 'zod';
import type { agentKind, agentRuntime } from './events.ts';
import { defineReadModel } from '../../define-row.ts';

/** `busy`: holds as many tasks as it may; `active`: some; `idle`: none. */
export const agentStatuses = ['idle', 'active', 'busy', 'inactive', 'disconnected', 'error', 'deregistered'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

export type AgentRow = {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly kind: z.infer<typeof agentKind>;
  readonly runtime: z.infer<typeof agentRuntime>;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly coordinatorId: string | null;
  readonly status: AgentStatus;
  readonly claims: readonly { readonly claimId: string; readonly taskId: string; readonly since: string }[];
  readonly connected: boolean;
  readonly enabled: boolean;
  readonly registered: boolean;
  readonly error: string | null;
  readonly lastBeatAt: string | null;
  readonly registeredAt: string;
  readonly updatedAt: string;
};

export const agentModel = defineReadModel<AgentRow>({
  name: 'agents',
  version: 1,
  table: 'agents',
  streams: ['agent'],
  columns: {
    id: true,
    revision: true,
    name: true,
    kind: true,
    runtime: true,
    capabilities: true,
    capacity: true,
    coordinatorId: true,
    status: true,
    claims: true,
    connected: true,
    enabled: true,
    registered: true,
    error: true,
    lastBeatAt: true,
    registeredAt: true,
    updatedAt: true,
  },
});
