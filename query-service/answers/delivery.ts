import { z } from 'zod';
import { id, revision, time } from './values.ts';

export const deliveryAnswer = z.looseObject({
  id,
  revision,
  provider: z.string(),
  deliveryId: z.string(),
  event: z.string(),
  action: z.string().nullable(),
  repository: z.string().nullable(),
  outcome: z.enum(['received', 'routed', 'ignored']),
  rule: z.string().nullable(),
  taskId: id.nullable(),
  reason: z.string().nullable(),
  receivedAt: time,
  body: z.looseObject({ digest: z.string(), href: z.string() }),
});
