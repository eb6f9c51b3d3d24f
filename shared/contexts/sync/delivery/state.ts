import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { DeliveryEvent } from './events.ts';

type Noted = Extract<DeliveryEvent, { type: 'DeliveryBodyNoted' }>['data'];
type Routed = Extract<DeliveryEvent, { type: 'DeliveryRouted' }>['data'];
export type DeliveryState = {
  readonly received: boolean;
  /** What a rule made of it; null when it was ignored. */
  readonly routed: Routed | null;
  /** Of a body's stream: the delivery that brought it first. */
  readonly first: Noted | null;
  /** Of an issue's stream: ISO 8601. */
  readonly updatedAt: string | null;
  /** Of an issue's stream: the rule that asked for work on it last. */
  readonly rule: string | null;
  /** Of a message's stream: when its newest words were said. */
  readonly saidAt: string | null;
};

export const deliveryFold: Fold<DeliveryState, DeliveryEvent> = {
  type: 'delivery',
  initial: { received: false, routed: null, first: null, updatedAt: null, rule: null, saidAt: null },
  evolve: (state, event) => {
    switch (event.type) {
      case 'DeliveryReceived':
      case 'DeliveryIgnored':
      case 'DeliveryNoticed':
        return { ...state, received: true };
      case 'DeliveryRouted':
        return { ...state, received: true, routed: event.data };
      case 'DeliveryBodyNoted':
        return { ...state, first: event.data };
      case 'IssueStateNoted':
        return { ...state, updatedAt: event.data.updatedAt, rule: event.data.rule ?? state.rule };
      case 'MessageNoted':
        return { ...state, saidAt: event.data.saidAt };
    }
  },
  snapshot: plainSnapshot(2),
};
