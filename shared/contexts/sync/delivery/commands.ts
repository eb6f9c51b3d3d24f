import { defineCommands } from '../../define-commands.ts';
import { z } from 'zod';
import { artefact } from '../../values.ts';
import { deliveryEvents } from './events.ts';

const {
  DeliveryReceived,
  DeliveryRouted,
  DeliveryIgnored,
  DeliveryBodyNoted,
  IssueStateNoted,
  MessageNoted,
  DeliveryNoticed,
  DeliveryAnswered,
  DeliveryReviewAsked,
  ReviewHeadNamed,
  ReviewSuperseded,
  ReviewCounted,
} = deliveryEvents.events;

export const deliveryCommands = defineCommands({
  'delivery.receive': {
    data: z.strictObject({
      received: DeliveryReceived.schema,
      outcome: z.union([
        DeliveryRouted.schema,
        DeliveryIgnored.schema,
        DeliveryNoticed.schema,
        DeliveryAnswered.schema,
        DeliveryReviewAsked.schema,
      ]),
    }),
    sentBy: ['command-service'],
  },
  /** Keeps a body for the delivery that brought it first. */
  'delivery.note-body': { data: DeliveryBodyNoted.schema, sentBy: ['command-service'] },
  'delivery.note-state': { data: IssueStateNoted.schema, sentBy: ['command-service'] },
  'delivery.note-message': { data: MessageNoted.schema, sentBy: ['command-service'] },
  /** What the provider would have sent, and we found by asking it: the rules are those of deliveries. Its target is the delivery. */
  'delivery.take-found': {
    data: z.strictObject({
      provider: z.literal('github'),
      event: z.string().regex(/^\w{1,100}$/),
      deliveryId: z.string().regex(/^[a-z0-9-]{1,100}$/),
      body: artefact,
    }),
    sentBy: ['saga'],
  },
  'delivery.name-head': { data: ReviewHeadNamed.schema, sentBy: ['saga'] },
  /** Begins one more review on a day; refused where there were so many. */
  'delivery.count-review': {
    data: ReviewCounted.schema.extend({ most: z.int().min(1) }),
    sentBy: ['saga'],
  },
  'delivery.supersede-review': { data: ReviewSuperseded.schema, sentBy: ['saga'] },
});
