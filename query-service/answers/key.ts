import { z } from 'zod';
import { role } from '@workledger/shared/contexts/agent/key/events.ts';
import { id, revision, time } from './values.ts';

/** A key without anything secret. */
export const keyAnswer = z.looseObject({
  id,
  revision,
  name: z.string(),
  role,
  agentId: id.nullable(),
  createdAt: time,
  revokedAt: time.nullable(),
  reason: z.string().nullable(),
});
