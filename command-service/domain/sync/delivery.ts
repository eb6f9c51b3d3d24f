import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/commands/catalogue.ts';
import type { deliveryCommands } from '@workledger/shared/commands/delivery.ts';
import type { DeliveryEvent } from '@workledger/shared/events/delivery.ts';

type Routed = Extract<DeliveryEvent, { type: 'DeliveryRouted' }>['data'];
export type DeliveryState = {
  readonly received: boolean;
  /** What a rule made of it; null when it was ignored. */
  readonly routed: Routed | null;
};

/** One webhook delivery: what came and what became of it, in one append. The first receipt counts; a replay changes nothing. */
export const delivery: Aggregate<DeliveryState, DeliveryEvent, DataOf<typeof deliveryCommands>> = {
  type: 'delivery',
  initial: { received: false, routed: null },
  evolve: (state, event) => ({
    received: true,
    routed: event.type === 'DeliveryRouted' ? event.data : state.routed,
  }),
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
