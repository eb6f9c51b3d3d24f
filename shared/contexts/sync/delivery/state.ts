import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { DeliveryEvent } from './events.ts';

type Noted = Extract<DeliveryEvent, { type: 'DeliveryBodyNoted' }>['data'];
type Routed = Extract<DeliveryEvent, { type: 'DeliveryRouted' }>['data'];
export type DeliveryState = {
  readonly received: boolean;
  /** What a rule made of it; null when it was ignored. */
  readonly routed: Routed | null;
  /** Of a day's stream: the reviews that were begun. */
  readonly counted: readonly string[];
  /** Of a review's stream. */
  readonly review: { readonly isNamed: boolean; readonly isSuperseded: boolean };
  /** What was answered by it; null when it is no answer. */
  readonly answered: Extract<DeliveryEvent, { type: 'DeliveryAnswered' }>['data'] | null;
  /** Of a body's stream: the delivery that brought it first. */
  readonly first: Noted | null;
  /** Of an issue's stream: ISO 8601. */
  readonly updatedAt: string | null;
  /** Of an issue's stream: the rule that asked for work on it last. */
  readonly rule: string | null;
  readonly earlier: readonly string[];
  readonly begunBy: string | null;
  /** Of a message's stream: when its newest words were said. */
  readonly saidAt: string | null;
};

export const deliveryFold: Fold<DeliveryState, DeliveryEvent> = {
  type: 'delivery',
  initial: {
    received: false,
    routed: null,
    counted: [],
    review: { isNamed: false, isSuperseded: false },
    answered: null,
    first: null,
    updatedAt: null,
    rule: null,
    earlier: [],
    begunBy: null,
    saidAt: null,
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'DeliveryReceived':
      case 'DeliveryIgnored':
      case 'DeliveryNoticed':
      case 'DeliveryReviewAsked':
        return { ...state, received: true };
      case 'ReviewHeadNamed':
        return { ...state, review: { ...state.review, isNamed: true } };
      case 'ReviewCounted':
        return { ...state, counted: [...state.counted, event.data.reviewId] };
      case 'ReviewSuperseded':
        return { ...state, review: { ...state.review, isSuperseded: true } };
      case 'DeliveryAnswered':
        return { ...state, received: true, answered: event.data };
      case 'DeliveryRouted':
        return { ...state, received: true, routed: event.data };
      case 'DeliveryBodyNoted':
        return { ...state, first: event.data };
      case 'IssueStateNoted': {
        const { updatedAt, rule = state.rule, earlier = state.earlier, begunBy = state.begunBy } = event.data;
        return { ...state, updatedAt, rule, earlier, begunBy };
      }
      case 'MessageNoted':
        return { ...state, saidAt: event.data.saidAt };
    }
  },
  snapshot: plainSnapshot(4),
};
