import type { Fold } from '../../define-events.ts';
import type { DeliveryEvent } from './events.ts';

type Routed = Extract<DeliveryEvent, { type: 'DeliveryRouted' }>['data'];
export type DeliveryState = {
  readonly received: boolean;
  /** What a rule made of it; null when it was ignored. */
  readonly routed: Routed | null;
};

export const deliveryFold: Fold<DeliveryState, DeliveryEvent> = {
  type: 'delivery',
  initial: { received: false, routed: null },
  evolve: (state, event) => ({
    received: true,
    routed: event.type === 'DeliveryRouted' ? event.data : state.routed,
  }),
};
