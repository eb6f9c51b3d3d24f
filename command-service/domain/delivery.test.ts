import { given } from '@workledger/shared/aggregate/testing.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
it('that what the app is installed for is looked at stands beside the reason', () => {
  const looked = { ...ignored, installation: true as const };
  given(delivery)
    .when('delivery.receive', { received, outcome: looked })
    .then(receipt, { type: 'DeliveryIgnored', data: looked });
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

it('the newest words of a message count, in whatever order they come', () => {
  const noted = (saidAt: string) => ({ id: taskId, saidAt });
  given(delivery, { type: 'MessageNoted', data: noted('1700000002.000000') })
    .when('delivery.note-message', noted('1700000001.000000'))
    .then();
  given(delivery, { type: 'MessageNoted', data: noted('1700000002.000000') })
    .when('delivery.note-message', noted('1700000003.000000'))
    .then({ type: 'MessageNoted', data: noted('1700000003.000000') });
});
it('the rule that asked last stays known when the issue changes otherwise', () => {
  given(delivery, { type: 'IssueStateNoted', data: { updatedAt: '2026-11-28T12:00:00.000Z', rule: 'label' } })
    .when('delivery.note-state', { updatedAt: '2026-11-28T12:00:01.000Z' })
    .then({ type: 'IssueStateNoted', data: { updatedAt: '2026-11-28T12:00:01.000Z', rule: 'label' } });
});
it('every rule that asked stays known, and whose emoji was the first', () => {
  const at = (second: number) => `2026-11-28T12:00:0${second}.000Z`;
  given(delivery, { type: 'IssueStateNoted', data: { updatedAt: at(0), rule: 'label', begunBy: 'U1' } })
    .when('delivery.note-state', { updatedAt: at(1), rule: 'assigned', begunBy: 'U2' })
    .then({
      type: 'IssueStateNoted',
      data: { updatedAt: at(1), rule: 'assigned', earlier: ['label'], begunBy: 'U1' },
    });
});
it('an answer and what it says are one append, and stay known', () => {
  const answered = {
    ...{ taskId, questionId: null, repository: 'shop', verb: 'approve' as const, words: null },
    ...{ by: 'slack:U1', isTrusted: true },
  };
  given(delivery)
    .when('delivery.receive', { received, outcome: answered })
    .then(receipt, { type: 'DeliveryAnswered', data: answered });
  given(delivery)
    .when('delivery.receive', { received, outcome: answered })
    .thenState((state) => expect(state.answered).toEqual(answered));
});
it('whatever is noted in whatever order: times never go back, and a note of before changes nothing', () => {
  const second = fc.integer({ min: 0, max: 9 });
  fc.assert(
    fc.property(fc.array(fc.tuple(second, fc.option(fc.constantFrom('one', 'two')))), (notes) => {
      const context = { id: taskId, actor: 'system' };
      let state = delivery.initial;
      let newest = -1;
      let asked: string | null = null;
      for (const [at, rule] of notes) {
        const data = { updatedAt: `2026-11-28T12:00:0${at}.000Z`, ...(rule !== null && { rule }) };
        const said = delivery.decisions['delivery.note-message']({ id: taskId, saidAt: String(at) }, state, context);
        const events = [...delivery.decisions['delivery.note-state'](data, state, context), ...said];
        expect(events).toHaveLength(at > newest ? 2 : 0);
        for (const event of events) state = delivery.evolve(state, event);
        if (at > newest) [newest, asked] = [at, rule ?? asked];
        expect([state.updatedAt?.slice(-6, -5) ?? '-1', state.rule, state.saidAt ?? '-1']).toEqual([
          String(newest),
          asked,
          String(newest),
        ]);
      }
    }),
  );
});

const [reviewId, otherId] = ['0190a000-0000-7000-8000-0000000000a1', '0190a000-0000-7000-8000-0000000000a2'];

describe('what is kept of reviews', () => {
  const counted = { type: 'ReviewCounted', data: { reviewId } } as const;
  it('counts each once a day, up to as many as may be', () => {
    given(delivery).when('delivery.count-review', { reviewId, most: 1 }).then(counted);
    given(delivery, counted).when('delivery.count-review', { reviewId, most: 1 }).then();
    given(delivery, counted).when('delivery.count-review', { reviewId: otherId, most: 1 }).thenRefused('out-of-range');
  });

  it('names a head once, and supersedes it once', () => {
    const named = { reviewId, repository: 'r', pullRequest: 7, head: 'a'.repeat(40), isTrusted: false };
    const event = { type: 'ReviewHeadNamed', data: named } as const;
    given(delivery).when('delivery.name-head', named).then(event);
    given(delivery, event).when('delivery.name-head', named).then();
    const superseded = { type: 'ReviewSuperseded', data: { reviewId } } as const;
    given(delivery).when('delivery.supersede-review', { reviewId }).then(superseded);
    given(delivery, superseded).when('delivery.supersede-review', { reviewId }).then();
  });
});
