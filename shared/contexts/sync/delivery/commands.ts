import { defineCommands } from '../../define-commands.ts';
import { z } from 'zod';
import { deliveryEvents } from './events.ts';

const { DeliveryReceived, DeliveryRouted, DeliveryIgnored } = deliveryEvents.events;

export const deliveryCommands = defineCommands({
  'delivery.receive': {
    data: z.strictObject({
      received: DeliveryReceived.schema,
      outcome: z.union([DeliveryRouted.schema, DeliveryIgnored.schema]),
    }),
    sentBy: ['command-service'],
  },
});
