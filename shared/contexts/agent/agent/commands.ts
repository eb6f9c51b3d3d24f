import { operators, workers, defineCommands } from '../../define-commands.ts';
import { z } from 'zod';
import { agentKind, agentRuntime } from './events.ts';
import { text, uuid, word } from '../../text.ts';

const capabilities = z.array(word).max(50);
const capacity = z.int().min(1).max(1_000);
const reason = text(1_000, 1);

export const agentCommands = defineCommands({
  'agent.register': {
    data: z.strictObject({
      name: text(200, 1),
      kind: agentKind.default('worker'),
      runtime: agentRuntime.default('remote'),
      capabilities: capabilities.default([]),
      capacity: capacity.default(1),
      coordinatorId: uuid.nullable().default(null),
    }),
    roles: operators,
    sentBy: ['agent'],
    creates: true,
  },
  'agent.change': {
    data: z.strictObject({
      capabilities: capabilities.optional(),
      capacity: capacity.optional(),
      coordinatorId: uuid.nullable().optional(),
    }),
    roles: operators,
  },
  /** A sign of life, kept outside the log; reconnects a disconnected agent. */
  'agent.beat': { data: z.strictObject({}), roles: workers, sentBy: ['agent'] },
  /** Claims the most urgent task that this agent can do; `details` is {} when there is none. */
  'agent.claim-next': { data: z.strictObject({}), roles: workers, sentBy: ['agent'] },
  'agent.reserve': { data: z.strictObject({ claimId: uuid, taskId: uuid }), sentBy: ['command-service'] },
  'agent.release': { data: z.strictObject({ claimId: uuid, reason }), sentBy: ['saga'] },
  /** Gives a reservation back that no claim followed; what the log says of the task decides. */
  'agent.release-unclaimed': { data: z.strictObject({ claimId: uuid }), sentBy: ['saga'] },
  'agent.disconnect': {
    data: z.strictObject({ lastBeatAt: z.iso.datetime().nullable() }),
    sentBy: ['command-service'],
  },
  'agent.report-error': { data: z.strictObject({ message: text(4_000, 1) }), roles: workers },
  'agent.clear-error': { data: z.strictObject({}), roles: workers },
  /** Lets it rest until a limit of use ends; without a time (ISO 8601): for a pause that grows from one minute to an hour. */
  'agent.rest': { data: z.strictObject({ until: z.iso.datetime().nullable(), reason }), sentBy: ['saga'] },
  /** Of an agent that is deregistered: its offers go on to others, and what was assigned to it is nobody's. */
  'agent.leave-issues': { data: z.strictObject({}), sentBy: ['saga'] },
  'agent.deactivate': { data: z.strictObject({ reason: reason.default('deactivated on request') }), roles: operators },
  'agent.activate': { data: z.strictObject({}), roles: operators },
  /** Goes on where the deregistration of an agent stopped: its keys are revoked. */
  'agent.finish-deregistration': { data: z.strictObject({}), sentBy: ['command-service'] },
  'agent.deregister': { data: z.strictObject({ reason: reason.default('deregistered on request') }), roles: operators },
});
