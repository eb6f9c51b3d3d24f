import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { deliveryCommands } from '@workledger/shared/contexts/sync/delivery/commands.ts';
import { deliveryFold, type DeliveryState } from '@workledger/shared/contexts/sync/delivery/state.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';

/** One webhook delivery: what came and what became of it, in one append. The first receipt counts; a replay changes nothing. */
export const delivery: Aggregate<DeliveryState, DeliveryEvent, DataOf<typeof deliveryCommands>> = {
  ...deliveryFold,
  decisions: {
    'delivery.receive': ({ received, outcome }, state) =>
      state.received
        ? []
        : [
            { type: 'DeliveryReceived', data: received },
            'rule' in outcome ? { type: 'DeliveryRouted', data: outcome } : { type: 'DeliveryIgnored', data: outcome },
          ],
  },
};
