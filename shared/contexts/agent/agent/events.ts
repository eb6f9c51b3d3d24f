import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

export const agentKind = z.enum(['coordinator', 'worker', 'monitor']);
export const agentRuntime = z.enum(['command', 'remote']);

export const agentEvents = defineStreamType({
  type: 'agent',
  context: 'agent',
  events: {
    AgentRegistered: {
      version: 1,
      schema: z.strictObject({
        name: z.string(),
        kind: agentKind,
        runtime: agentRuntime,
        capabilities: z.array(z.string()),
        /** How many tasks it may hold at once. */
        capacity: z.int().min(1),
        coordinatorId: uuid.nullable(),
      }),
    },
    AgentChanged: {
      version: 1,
      schema: z.strictObject({
        capabilities: z.array(z.string()).optional(),
        capacity: z.int().min(1).optional(),
        coordinatorId: uuid.nullable().optional(),
      }),
    },
    AgentReserved: { version: 1, schema: z.strictObject({ claimId: uuid, taskId: uuid }) },
    AgentReleased: { version: 1, schema: z.strictObject({ claimId: uuid, taskId: uuid, reason: z.string() }) },
    AgentDisconnected: { version: 1, schema: z.strictObject({ lastBeatAt: z.iso.datetime().nullable() }) },
    AgentReconnected: { version: 1, schema: z.strictObject({}) },
    AgentErrorReported: { version: 1, schema: z.strictObject({ message: z.string() }) },
    AgentErrorCleared: { version: 1, schema: z.strictObject({}) },
    /** It is at a limit of use, or its model is overloaded: it takes no task before `until`. */
    AgentRested: { version: 1, schema: z.strictObject({ until: z.iso.datetime(), reason: z.string() }) },
    AgentDeactivated: { version: 1, schema: z.strictObject({ reason: z.string() }) },
    AgentActivated: { version: 1, schema: z.strictObject({}) },
    AgentDeregistered: { version: 1, schema: z.strictObject({ reason: z.string() }) },
  },
});
export type AgentEvent = EventOf<typeof agentEvents>;
