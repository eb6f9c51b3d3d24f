import { z } from 'zod';
import { deliveryEvents } from './events.ts';

const { DeliveryReceived, DeliveryRouted, DeliveryIgnored } = deliveryEvents.events;

export const deliveryCommands = {
  'delivery.receive': z.strictObject({
    received: DeliveryReceived.schema,
    outcome: z.union([DeliveryRouted.schema, DeliveryIgnored.schema]),
  }),
} as const;
