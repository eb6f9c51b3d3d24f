import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { derivedId } from '../../stream.ts';
import { uuid } from '../../values.ts';

/** What one participant did with what came to many: topics, confirmations, and a mark up to which all is read. */
export const inboxEvents = defineStreamType({
  type: 'inbox',
  context: 'agent',
  events: {
    TopicSubscribed: { version: 1, schema: z.strictObject({ participant: z.string(), topic: z.string() }) },
    TopicUnsubscribed: { version: 1, schema: z.strictObject({ participant: z.string(), topic: z.string() }) },
    InboxMessageDelivered: { version: 1, schema: z.strictObject({ participant: z.string(), messageId: uuid }) },
    InboxMessageRead: { version: 1, schema: z.strictObject({ participant: z.string(), messageId: uuid }) },
    InboxRead: {
      version: 1,
      schema: z.strictObject({
        participant: z.string(),
        /** A position in the log: what was sent up to there is read. */
        until: z.string().regex(/^\d+$/),
        /** Of these only; null: all. */
        repositories: z.array(z.string()).nullable(),
      }),
    },
  },
});
export type InboxEvent = EventOf<typeof inboxEvents>;

/** The inbox of a participant. */
export const inboxId = (participant: string): string => derivedId('inbox', participant);
