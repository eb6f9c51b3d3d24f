import { z } from 'zod';
import { id, time } from './values.ts';

/** A recorded event, as it was written. */
export const eventAnswer = z.looseObject({
  id,
  type: z.string(),
  version: z.int().min(1),
  stream: z.string(),
  revision: z.int().min(0),
  position: z.string().describe('place in the whole log, as a text: it may be larger than a JavaScript number'),
  recordedAt: time,
  data: z.record(z.string(), z.unknown()),
  metadata: z.looseObject({
    correlationId: z.string(),
    causationId: z.string().nullable(),
    commandId: z.string(),
    actor: z.string(),
  }),
});
