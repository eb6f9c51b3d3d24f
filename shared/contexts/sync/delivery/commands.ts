import { defineCommands } from '../../define-commands.ts';
import { z } from 'zod';
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
      ]),
    }),
    sentBy: ['command-service'],
  },
  /** Keeps a body for the delivery that brought it first. */
  'delivery.note-body': { data: DeliveryBodyNoted.schema, sentBy: ['command-service'] },
  'delivery.note-state': { data: IssueStateNoted.schema, sentBy: ['command-service'] },
  'delivery.note-message': { data: MessageNoted.schema, sentBy: ['command-service'] },
});
