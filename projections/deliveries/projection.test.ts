import { expect, it } from 'vitest';
import { deliveryStreamId, type DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { DeliveryRow } from '@workledger/shared/contexts/sync/delivery/row.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf, paper } from '@workledger/infra/testing/events/history.ts';
import { deliveries } from './projection.ts';

const id = deliveryStreamId('github', 'guid-1');
const taskId = newId();
const data = {
  provider: 'github',
  deliveryId: 'guid-1',
  event: 'issues',
  action: 'labeled',
  repository: 'o/r',
  sender: 'ada',
  body: paper('1'),
} as const;
const after = (...events: DeliveryEvent[]): DeliveryRow =>
  foldAll<DeliveryRow>(
    deliveries,
    history<DeliveryEvent>(streamName('delivery', id), [{ type: 'DeliveryReceived', data }, ...events]),
  ).get(id)!;

it('has what came', () => {
  expect(after()).toMatchObject({ id, ...data, outcome: 'received', receivedAt: timeOf(0) });
});

it('says which rule made which task of it, or why a task is cancelled', () => {
  const intent = { kind: 'cancel-task', reason: 'the issue was closed' } as const;
  expect(after({ type: 'DeliveryRouted', data: { rule: 'label', taskId, intent } })).toMatchObject({
    outcome: 'routed',
    rule: 'label',
    taskId,
    intent: 'cancel-task',
    reason: 'the issue was closed',
    revision: 1,
  });
});

it('says why it was ignored', () => {
  expect(after({ type: 'DeliveryIgnored', data: { reason: 'sender not trusted' } })).toMatchObject({
    outcome: 'ignored',
    reason: 'sender not trusted',
    taskId: null,
  });
});
