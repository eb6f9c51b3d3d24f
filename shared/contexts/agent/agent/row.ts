import { z } from 'zod';
import { agentKind, agentRuntime } from './events.ts';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

/** `busy`: holds as many tasks as it may; `active`: some; `idle`: none. */
export const agentStatuses = ['idle', 'active', 'busy', 'inactive', 'disconnected', 'error', 'deregistered'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

export const agentRow = z.strictObject({
  id: uuid,
  revision,
  name: z.string(),
  kind: agentKind,
  runtime: agentRuntime,
  capabilities: z.array(z.string()),
  capacity: z.int().describe('how many tasks it may hold at once'),
  coordinatorId: uuid.nullable(),
  status: z.enum(agentStatuses),
  claims: z.array(z.strictObject({ claimId: uuid, taskId: uuid, since: time })),
  connected: z.boolean(),
  enabled: z.boolean(),
  registered: z.boolean(),
  error: z.string().nullable(),
  lastBeatAt: time.nullable(),
  registeredAt: time,
  updatedAt: time,
  restingUntil: time.nullable().describe('it takes no task before: its limit of use, or its model is overloaded'),
  restReason: z.string().nullable().describe('in its own words'),
});
export type AgentRow = RowOf<typeof agentRow>;

export const agentModel = defineReadModel({
  name: 'agents',
  version: 1,
  table: 'agents',
  streams: ['agent'],
  schema: agentRow,
});
