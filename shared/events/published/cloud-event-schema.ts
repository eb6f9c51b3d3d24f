import { z } from 'zod';

const text = (description: string): z.ZodString => z.string().describe(description);

/** What every published event has around its data. CloudEvents lets anyone on the way add attributes, so others are allowed. */
export const cloudEventSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.uuid().describe('Id of the event: the same on every repeat.'),
  source: z
    .string()
    .regex(/^\/workledger\/[a-z]+$/)
    .describe('/workledger/<context>'),
  type: z
    .string()
    .regex(/^workledger\.[a-z][a-z0-9-]*\.[A-Za-z][A-Za-z0-9._-]*\.v[1-9][0-9]*$/)
    .describe('workledger.<stream type>.<event type>.v<version>'),
  subject: text('The stream, which is the key of the Kafka message: <stream type>-<uuid>.'),
  time: z.iso.datetime().describe('When the log recorded the event; UTC.'),
  datacontenttype: z.literal('application/json'),
  dataschema: z.url().optional().describe('$id of the schema of `data`. Internal events have none.'),
  revision: z.int().min(0).describe('Place of the event in its stream, from 0, without gaps.'),
  position: z
    .string()
    .regex(/^[0-9]+$/)
    .describe('Place of the event in the whole log: opaque, but for its order as a number.'),
  correlationid: text('One id for everything that follows from one request.'),
  causationid: text('Id of the event or command that led to this one.').optional(),
  commandid: text('Id of the command that was accepted.'),
  commandhash: text('SHA-256 (hex) of the body of that command.'),
  actor: text('Opaque id of the caller.'),
  traceparent: text('W3C Trace Context.').optional(),
  data: z.looseObject({}).describe('The SystemEvent.'),
});
