import { given } from '@workledger/shared/aggregate/testing.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { expect, it } from 'vitest';
import { delivery } from './delivery.ts';

const taskId = '0190a000-0000-7000-8000-0000000000f1';
const received = {
  provider: 'github' as const,
  deliveryId: 'd-1',
  event: 'issues',
  action: 'closed',
  repository: 'o/r',
  sender: 'ann',
  body: { digest: 'ab'.repeat(32), size: 2, mediaType: 'application/json' },
};
const routed = { rule: 'label', taskId, intent: { kind: 'cancel-task' as const, reason: 'closed' } };
const ignored = { reason: 'no rule' };
const receipt: DeliveryEvent = { type: 'DeliveryReceived', data: received };

it('a delivery and what a rule made of it are one append', () => {
  given(delivery)
    .when('delivery.receive', { received, outcome: routed })
    .then(receipt, { type: 'DeliveryRouted', data: routed });
});
it('a delivery that no rule takes is recorded with the reason', () => {
  given(delivery)
    .when('delivery.receive', { received, outcome: ignored })
    .then(receipt, { type: 'DeliveryIgnored', data: ignored });
});
it('a replay changes nothing, whatever would be made of it now', () => {
  given(delivery, receipt, { type: 'DeliveryIgnored', data: ignored })
    .when('delivery.receive', { received, outcome: routed })
    .then();
});
it('what a rule made of it stays known', () => {
  given(delivery)
    .when('delivery.receive', { received, outcome: routed })
    .thenState((state) => expect(state.routed).toEqual(routed));
});
