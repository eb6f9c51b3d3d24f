import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import type { RoutingEvent } from '@workledger/shared/contexts/evolution/routing/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { routings } from './projection.ts';

it('says which model a task was for and why, and how it came out', () => {
  const id = newId();
  const none = { succeeded: 0, failed: 0 };
  const candidates = [{ model: 'small', priceUsd: 0.02, same: none, others: none, chance: 0.5, isBest: 1 }];
  const asked = { taskType: 'bug', complexity: 'low', preferredModel: null, repository: 'sample' } as const;
  const chosen = { model: 'small', confidence: 1, reason: 'the only one', estimatedCostUsd: 0.02 };
  const routed = { ...asked, ...chosen, candidates, routedBy: 'key:1' };
  const events: RoutingEvent[] = [{ type: 'ModelRouted', data: routed }];
  const rows = (more: RoutingEvent[]) => [
    ...foldAll(routings, history(streamName('routing', id), [...events, ...more])).values(),
  ];
  const open = { ...routed, id, revision: 0, routedAt: timeOf(0), succeeded: null, costUsd: null, reportedAt: null };
  expect(rows([])).toEqual([open]);
  expect(rows([{ type: 'RoutingOutcomeReported', data: { succeeded: true, costUsd: 0.03 } }])).toEqual([
    { ...open, revision: 1, succeeded: true, costUsd: 0.03, reportedAt: timeOf(1) },
  ]);
});
