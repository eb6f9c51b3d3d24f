import { given } from '@workledger/shared/aggregate/testing.ts';
import type { RoutingEvent } from '@workledger/shared/contexts/evolution/routing/events.ts';
import { routingFold } from '@workledger/shared/contexts/evolution/routing/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routing, type RoutingDecisions } from './routing.ts';

const none = { succeeded: 0, failed: 0 };
const data: RoutingDecisions['routing.choose'] = {
  ...{ taskType: 'bug', complexity: 'low', preferredModel: null, repository: null },
  ...{ model: 'small', confidence: 0.6, reason: 'nothing recorded', estimatedCostUsd: 0.02 },
  candidates: [{ model: 'small', priceUsd: 0.02, same: none, others: none, chance: 0.5, isBest: 0.6 }],
};
const agent = 'agent:1';
const routed: RoutingEvent = { type: 'ModelRouted', data: { ...data, routedBy: agent } };
type Outcome = RoutingDecisions['routing.report-outcome'];
const good: Outcome = { succeeded: true, costUsd: 0.03 };
const reported = (outcome = good): RoutingEvent => ({ type: 'RoutingOutcomeReported', data: outcome });
const by = (actor: string) => ({ actor });

describe('a model for a task', () => {
  it('is chosen once', () => {
    given(routing).when('routing.choose', data, by(agent)).then(routed);
    given(routing, routed).when('routing.choose', data, by(agent)).thenRefused('already-exists');
  });
  it('has an outcome, told by who asked or by a person', () => {
    given(routing, routed).when('routing.report-outcome', good, by(agent)).then(reported());
    given(routing, routed).when('routing.report-outcome', good, by('key:2')).then(reported());
    given(routing, routed).when('routing.report-outcome', good, by('agent:2')).thenRefused('forbidden');
  });
  it('has one outcome: the same again is nothing, another is refused', () => {
    given(routing, routed, reported()).when('routing.report-outcome', good, by(agent)).then();
    given(routing, routed, reported())
      .when('routing.report-outcome', { ...good, succeeded: false }, by(agent))
      .thenRefused('illegal-transition');
  });
  it('that nobody asked for has none', () =>
    given(routing).when('routing.report-outcome', good, by(agent)).thenRefused('not-found'));
});

it('whatever is told of a routing, the first stands, and at most one outcome is written', () => {
  const outcome = fc.record({ succeeded: fc.boolean(), costUsd: fc.constantFrom(null, 0, 1) });
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 8 }), (told) => {
      let state = routingFold.evolve(routingFold.initial, routed);
      const written: RoutingEvent[] = [];
      for (const one of told)
        try {
          const events = routing.decisions['routing.report-outcome'](one, state, { id: '1', actor: agent });
          written.push(...events);
          state = events.reduce(routingFold.evolve, state);
        } catch {
          expect(state.outcome).not.toBeNull();
        }
      expect(written).toEqual(told.slice(0, 1).map((one) => reported(one)));
      expect(state.outcome).toEqual(told[0] ?? null);
    }),
  );
});
