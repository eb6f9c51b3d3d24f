import { z } from 'zod';
import { time } from '@workledger/shared/contexts/define-row.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';

/** A recorded event, as it was written. */
export const eventAnswer = z.strictObject({
  id: uuid,
  type: z.string(),
  version: z.int().min(1),
  stream: z.string(),
  revision: z.int().min(0),
  position: z.string().describe('place in the whole log, as a text: it may be larger than a JavaScript number'),
  recordedAt: time,
  data: z.record(z.string(), z.unknown()),
  metadata: z.strictObject({
    correlationId: z.string(),
    causationId: z.string().nullable(),
    commandId: z.string(),
    commandHash: z.string(),
    actor: z.string(),
    traceparent: z.string().nullable(),
  }),
});
