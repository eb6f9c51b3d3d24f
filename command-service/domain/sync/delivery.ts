import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/commands/catalogue.ts';
import type { deliveryCommands } from '@workledger/shared/commands/delivery.ts';
import type { DeliveryEvent } from '@workledger/shared/events/delivery.ts';

export type DeliveryState = 'missing' | 'received';

/** One webhook delivery: what came and what became of it, in one append. The first receipt counts; a replay changes nothing. */
export const delivery: Aggregate<DeliveryState, DeliveryEvent, DataOf<typeof deliveryCommands>> = {
  type: 'delivery',
  initial: 'missing',
  evolve: () => 'received',
  decisions: {
    'delivery.receive': ({ received, outcome }, state) =>
      state === 'received'
        ? []
        : [
            { type: 'DeliveryReceived', data: received },
            'rule' in outcome ? { type: 'DeliveryRouted', data: outcome } : { type: 'DeliveryIgnored', data: outcome },
          ],
  },
};
