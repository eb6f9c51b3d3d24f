import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { derivedId } from '../../stream.ts';

export const messageTypeEvents = defineStreamType({
  type: 'message-type',
  context: 'agent',
  events: {
    MessageTypeRegistered: {
      version: 1,
      schema: z.strictObject({
        name: z.string(),
        /** From 1: each change of the schema is a version of its own, and messages say by which they were judged. */
        number: z.int().min(1),
        description: z.string(),
        /** JSON Schema, draft 2020-12. */
        schema: z.record(z.string(), z.unknown()),
      }),
    },
  },
});
export type MessageTypeEvent = EventOf<typeof messageTypeEvents>;

/** The id of a message type is made of its name: there is one of each. */
export const messageTypeId = (name: string): string => derivedId('message-type', name);
