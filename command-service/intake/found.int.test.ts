import { randomUUID } from 'node:crypto';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { deliveryStreamId, taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type Service } from '../api/testing/service.ts';
import { ask, typesOf } from '../processes/testing.ts';
import { takeFound } from './found.ts';
import { another, labeled, rules, senderTo } from './testing.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: ['current secret'], rules });
});
afterAll(() => service.close());

const send = senderTo(() => service);
let names = 0;
async function take(payload: object, event = 'issues', deliveryId = `found-event-${(names += 1)}`) {
  const body = await service.artefacts.put(Buffer.from(JSON.stringify(payload)), 'application/json');
  const { commands, log, artefacts } = service;
  const id = deliveryStreamId('github', deliveryId);
  const data = { provider: 'github', event, deliveryId, body } as const;
  return takeFound({ commands, log, artefacts, rules }, id, data, { correlationId: newId(), traceparent: null });
}
const createTask = (id: string) => ask(service, 'task.create', id, { title: 'Make it fast', repository: 'sample' });
const issue = (number: number, updated_at: string) => ({ ...labeled.issue, number, updated_at });
const of = (number: number, updated_at: string, change: object = {}) =>
  another({ ...labeled, issue: { ...issue(number, updated_at), ...change } });

test('what was missed is taken by the rules of deliveries, once, and its own delivery that comes late makes nothing twice', async () => {
  const missed = of(21, '2026-11-29T10:00:00Z');
  const taskId = taskIdOfIssue('github', 'acme/shop', 21);
  const first = await take(missed, 'issues', 'found-event-900');
  expect(first.details).toMatchObject({ outcome: 'routed', taskId });
  const head = await service.log.head();
  expect(await take(missed, 'issues', 'found-event-900')).toEqual(first);
  expect(await service.log.head()).toBe(head);
  await createTask(taskId);
  expect((await send(of(21, '2026-11-29T10:00:00Z'))).body).toMatchObject({ outcome: 'ignored' });
});

test('what came by its own delivery is found in vain, also where a person has begun it again since', async () => {
  const at = '2026-11-29T10:00:05Z';
  await send(of(22, '2026-11-29T10:00:00Z'));
  const closed = { ...of(22, at, { state: 'closed' }), action: 'closed', label: undefined };
  expect((await send(closed)).body).toMatchObject({ outcome: 'routed' });
  const again = await take(another(closed));
  expect(again.details).toMatchObject({ outcome: 'ignored', reason: expect.stringContaining('tells of') as string });
});

test('a comment that came is not heard again, whichever way came first', async () => {
  const said = (id: number) => ({
    ...{ action: 'created', repository: { full_name: 'acme/shop' }, sender: { login: 'ada' } },
    ...{ issue: { number: 23 }, comment: { id, body: '@workledger approve' } },
  });
  await createTask(taskIdOfIssue('github', 'acme/shop', 23));
  const delivery = randomUUID();
  await send(another(said(1)), { event: 'issue_comment', id: delivery });
  const found = await take(another(said(1)), 'issue_comment', 'found-comment-1');
  expect(found.id).toBe(deliveryStreamId('github', delivery));
  expect(await typesOf(service.log, found.stream)).toEqual(['DeliveryReceived', 'DeliveryAnswered']);
  const first = await take(another(said(2)), 'issue_comment', 'found-comment-2');
  const late = await send(another(said(2)), { event: 'issue_comment' });
  expect([late.status, late.body]).toMatchObject([200, { id: first.id, redelivery: true }]);
});

test('nobody is believed: an unknown sender starts nothing, and a target that is not the delivery is refused', async () => {
  const mallory = { ...of(24, '2026-11-29T10:00:00Z'), sender: { login: 'mallory' } };
  expect((await take(mallory)).details).toMatchObject({ outcome: 'ignored' });
  const { commands, log, artefacts } = service;
  const body = await artefacts.put(Buffer.from('{}'), 'application/json');
  const data = { provider: 'github', event: 'issues', deliveryId: 'found-event-1', body } as const;
  await expect(
    takeFound({ commands, log, artefacts, rules }, newId(), data, { correlationId: newId() }),
  ).rejects.toMatchObject({ code: 'invalid-command' });
});
