import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { deliveryIdOf, type DispatchEvent } from '@workledger/shared/contexts/agent/dispatch/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { dispatchDeliveries, dispatches } from './projection.ts';

const [id, from, ann] = [newId(), `key:${newId()}`, `agent:${newId()}`];
const [toAnn, toTeam] = [deliveryIdOf(id, ann), deliveryIdOf(id, 'team:web')];
const digest = 'a'.repeat(64);
const expiresAt = '2026-01-02T00:00:00.000Z';
const visibleAt = '2026-01-01T00:00:30.000Z';
const about = { sourceService: 'ci', guarantee: 'at-least-once', type: 'build.done', version: 2 } as const;
const content = { typeNumber: null, payload: '{"ok":true}', digest, expiresAt, repository: 'mine' };
const sent: DispatchEvent = {
  type: 'DispatchSent',
  data: {
    ...{ from, ...about, ...content },
    deliveries: [
      { deliveryId: toAnn, target: ann },
      { deliveryId: toTeam, target: 'team:web' },
    ],
  },
};
const delivery = { deliveryId: toAnn, target: ann };
const handed = (number = 1): DispatchEvent => ({
  type: 'DispatchHandedOver',
  data: { ...delivery, to: ann, number, visibleAt },
});
const acknowledged: DispatchEvent = { type: 'DispatchAcknowledged', data: { ...delivery, by: ann, digest, from } };

const recorded = (...events: DispatchEvent[]) => history(streamName('dispatch', id), events);
const deliveryAfter = (...events: DispatchEvent[]) => foldAll(dispatchDeliveries, recorded(sent, ...events)).get(toAnn);

it('says what was sent, and where its stream is', () => {
  const rows = foldAll(dispatches, recorded(sent, handed()));
  const { correlationId } = recorded(sent)[0]!.metadata;
  expect([...rows.values()]).toEqual([
    { ...{ id, revision: 1, position: '1', sender: from, correlationId, sentAt: timeOf(0) }, ...about, ...content },
  ]);
});

it('has a row each of those that it is for', () => {
  const rows = foldAll(dispatchDeliveries, recorded(sent, handed()));
  expect(rows.get(toTeam)).toMatchObject({ target: 'team:web', state: 'pending', handings: 0, revision: 0 });
  expect(rows.get(toAnn)).toMatchObject({
    ...{ target: ann, state: 'sent', handings: 1, heldBy: ann, revision: 1 },
    ...{ dispatchedAt: timeOf(0), handedAt: timeOf(1), visibleAt, proofEventId: null },
  });
});

it('an acknowledgement is told with its place in the log', () => {
  const event = recorded(sent, handed(), acknowledged)[2]!;
  expect(deliveryAfter(handed(), acknowledged)).toMatchObject({
    ...{ state: 'acknowledged', visibleAt: null, settledAt: timeOf(2), acknowledgedBy: ann, receivedDigest: digest },
    ...{ proofEventId: event.id, proofRevision: 2, proofPosition: String(event.position) },
  });
});

it('what was given back waits, and what was rejected, has expired or is dead does not', () => {
  const reason = 'busy';
  const back = { ...delivery, by: ann, number: 1, reason };
  const waits = { state: 'pending', heldBy: null, visibleAt: null, settledAt: null, reason };
  expect(deliveryAfter(handed(), { type: 'DispatchReturned', data: back })).toMatchObject(waits);
  const ends: readonly (readonly [DispatchEvent, string])[] = [
    [{ type: 'DispatchRejected', data: back }, 'rejected'],
    [{ type: 'DispatchExpired', data: { ...delivery, handings: 1 } }, 'expired'],
    [{ type: 'DispatchDied', data: { ...delivery, handings: 1 } }, 'dead'],
  ];
  for (const [event, state] of ends)
    expect(deliveryAfter(handed(), event)).toMatchObject({ state, visibleAt: null, settledAt: timeOf(2) });
});

it('what was forgotten does not come back', () => {
  const [, second] = recorded(sent, handed());
  expect(dispatches.fold(undefined, second!, id)).toBeUndefined();
  expect(dispatchDeliveries.fold(undefined, second!, toAnn)).toBeUndefined();
});
