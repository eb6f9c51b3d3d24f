import { z } from 'zod';
import { agentKind, agentRuntime } from './events.ts';
import { text, uuid, word } from '../../text.ts';

const capabilities = z.array(word).max(50);
const capacity = z.int().min(1).max(1_000);
const reason = text(1_000, 1);

export const agentCommands = {
  'agent.register': z.strictObject({
    name: text(200, 1),
    kind: agentKind.default('worker'),
    runtime: agentRuntime.default('remote'),
    capabilities: capabilities.default([]),
    capacity: capacity.default(1),
    coordinatorId: uuid.nullable().default(null),
  }),
  'agent.change': z.strictObject({
    capabilities: capabilities.optional(),
    capacity: capacity.optional(),
    coordinatorId: uuid.nullable().optional(),
  }),
  /** A sign of life, kept outside the log; reconnects a disconnected agent. */
  'agent.beat': z.strictObject({}),
  /** Claims the most urgent task that this agent can do; `details` is {} when there is none. */
  'agent.claim-next': z.strictObject({}),
  'agent.reserve': z.strictObject({ claimId: uuid, taskId: uuid }),
  'agent.release': z.strictObject({ claimId: uuid, reason }),
  'agent.disconnect': z.strictObject({ lastBeatAt: z.iso.datetime().nullable() }),
  'agent.report-error': z.strictObject({ message: text(4_000, 1) }),
  'agent.clear-error': z.strictObject({}),
  'agent.deactivate': z.strictObject({ reason: reason.default('deactivated on request') }),
  'agent.activate': z.strictObject({}),
  'agent.deregister': z.strictObject({ reason: reason.default('deregistered on request') }),
} as const;
