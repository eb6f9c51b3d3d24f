import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

/**
 * How far a subscription reaches: as far as whoever made it may read. `all`: every event but those of sagas; `work`: none of keys,
 * people, knowledge and messages.
 */
export const reach = z.enum(['work', 'all']);
export type Reach = z.infer<typeof reach>;

const details = {
  name: z.string(),
  /** May hold what lets the sender in: it is not published. */
  url: z.string(),
  /** Patterns: `*`, `/workledger/<context>`, `workledger.<stream type>.*`, `workledger.<stream type>.<event>`. */
  eventTypes: z.array(z.string()),
  /** Only events of these; null: of all, and of none. */
  repositories: z.array(z.string()).nullable(),
};

/** An agent or a person, as the actor of what they send. */
const participant = z.string();

/** Names the row of a secret, which is in a table of command-service and in no event. */
const secretId = uuid;

export const webhookEvents = defineStreamType({
  type: 'webhook',
  context: 'sync',
  events: {
    WebhookCreated: {
      version: 1,
      schema: z.strictObject({
        ...details,
        reach,
        madeBy: participant,
        secretId,
        /** Events after this position are sent; left out: those after this event. */
        from: z.string().optional(),
      }),
      private: ['url', 'secretId'],
    },
    WebhookChanged: {
      version: 1,
      schema: z.strictObject(details).partial(),
      private: ['url'],
    },
    WebhookPaused: { version: 1, schema: z.strictObject({ reason: z.string() }) },
    WebhookResumed: {
      version: 1,
      schema: z.strictObject({
        /** Events after this position are sent; left out: those after the pause began. */
        from: z.string().optional(),
      }),
    },
    /** The subscriber said that it wants no more. */
    WebhookDisabled: { version: 1, schema: z.strictObject({ reason: z.string() }) },
    WebhookSecretRotated: {
      version: 1,
      schema: z.strictObject({
        secretId,
        /** Until then the one before is good, too. */
        oldUntil: z.iso.datetime(),
      }),
      private: ['secretId'],
    },
    /** Is itself what is sent. */
    WebhookTestAsked: { version: 1, schema: z.strictObject({ askedBy: participant }) },
    WebhookRedeliveryAsked: {
      version: 1,
      schema: z.strictObject({
        /** Left out: all that were given up. */
        deliveryId: uuid.optional(),
      }),
    },
    /** It was given up, and is not sent with the others that were. */
    WebhookDeliveryDropped: { version: 1, schema: z.strictObject({ deliveryId: uuid }) },
    WebhookDeleted: { version: 1, schema: z.strictObject({}) },
  },
});
export type WebhookEvent = EventOf<typeof webhookEvents>;
