import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { routingCommands } from '@workledger/shared/contexts/evolution/routing/commands.ts';
import type { RoutingEvent } from '@workledger/shared/contexts/evolution/routing/events.ts';
import { routingFold, type Routed, type RoutingState } from '@workledger/shared/contexts/evolution/routing/state.ts';

type Commands = DataOf<typeof routingCommands>;

export type RoutingDecisions = Omit<Commands, 'routing.choose'> & {
  /** With the choice, as it was made of what was known. */
  'routing.choose': Omit<Routed, 'routedBy'>;
};

/** Which model a task is for, and how that came out: told once, by whoever asked or an operator. */
export const routing: Aggregate<RoutingState, RoutingEvent, RoutingDecisions> = {
  ...routingFold,
  decisions: {
    'routing.choose': (data, { routed }, { actor }) => {
      if (routed !== null) refuse('already-exists', 'a model is chosen here already');
      return [{ type: 'ModelRouted', data: { ...data, routedBy: actor } }];
    },
    'routing.report-outcome': (data, { routed, outcome }, { actor }) => {
      if (routed === null) return refuse('not-found', 'there is no such routing');
      if (actor.startsWith('agent:') && actor !== routed.routedBy)
        refuse('forbidden', 'an agent tells how its own requests came out');
      if (outcome === null) return [{ type: 'RoutingOutcomeReported', data }];
      if (canonicalJson(outcome) === canonicalJson(data)) return [];
      return refuse('illegal-transition', 'how it came out was told before, and that stands', { outcome });
    },
  },
};
