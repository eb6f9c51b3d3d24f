import type { Fold } from '../../define-events.ts';
import type { RoutingEvent } from './events.ts';

export type Routed = Extract<RoutingEvent, { type: 'ModelRouted' }>['data'];
export type RoutingOutcome = Extract<RoutingEvent, { type: 'RoutingOutcomeReported' }>['data'];

export type RoutingState = {
  /** null: it is missing. */
  readonly routed: Routed | null;
  readonly outcome: RoutingOutcome | null;
};

export const routingFold: Fold<RoutingState, RoutingEvent> = {
  type: 'routing',
  initial: { routed: null, outcome: null },
  evolve: (state, event) =>
    event.type === 'ModelRouted' ? { ...state, routed: event.data } : { ...state, outcome: event.data },
};
