import { z } from 'zod';
import { agentKind, agentRuntime } from '@workledger/shared/contexts/agent/agent/events.ts';
import { agentStatuses } from '@workledger/shared/contexts/agent/agent/row.ts';
import { id, revision, time } from './values.ts';

export const agentAnswer = z.looseObject({
  id,
  revision,
  name: z.string(),
  kind: agentKind,
  runtime: agentRuntime,
  capabilities: z.array(z.string()),
  capacity: z.int(),
  status: z.enum(agentStatuses),
  claims: z.array(z.looseObject({ claimId: id, taskId: id, since: z.string() })),
  error: z.string().nullable(),
  lastBeatAt: time.nullable(),
  registeredAt: time,
  updatedAt: time,
  utilisation: z.number().describe('claims by capacity'),
});
