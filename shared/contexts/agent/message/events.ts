import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

export const recipient = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('participant'), participant: z.string() }),
  z.strictObject({ kind: z.literal('topic'), topic: z.string() }),
  z.strictObject({ kind: z.literal('all') }),
]);
export type Recipient = z.infer<typeof recipient>;

/** One to one, its confirmations stand here; of a topic or to all, in the inbox of each who confirms. */
export const messageEvents = defineStreamType({
  type: 'message',
  context: 'agent',
  events: {
    MessageSent: {
      version: 1,
      schema: z.strictObject({
        from: z.string(),
        to: recipient,
        /** Null: plain words. */
        messageType: z.string().nullable(),
        /** The version of the type by which the content was judged. */
        typeNumber: z.int().min(1).nullable(),
        subject: personal('from'),
        body: personal('from'),
        /** JSON text. */
        content: personal('from').nullable(),
        repository: z.string().nullable(),
        taskId: uuid.nullable(),
        replyTo: uuid.nullable(),
      }),
    },
    MessageDelivered: { version: 1, schema: z.strictObject({ participant: z.string(), from: z.string() }) },
    MessageRead: { version: 1, schema: z.strictObject({ participant: z.string(), from: z.string() }) },
  },
});
export type MessageEvent = EventOf<typeof messageEvents>;
export type MessageSent = Extract<MessageEvent, { type: 'MessageSent' }>['data'];

/** Where a message goes, as one text: a participant, `topic:<topic>`, or `all`. */
export const addressOf = (to: Recipient): string =>
  to.kind === 'participant' ? to.participant : to.kind === 'topic' ? `topic:${to.topic}` : 'all';
