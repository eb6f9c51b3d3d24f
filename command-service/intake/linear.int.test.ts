import { createHmac, randomUUID } from 'node:crypto';
import { deliveryStreamId, taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothing, startService, type Service } from '../api/testing/service.ts';
import type { RoutingRules } from '../domain/signal.ts';
import { eventsOf, typesOf } from '../processes/testing.ts';

const SECRET = 'a secret';
const rules: RoutingRules = {
  repositories: [{ name: 'sample', linear: 'ENG', trusted: ['linear:ada@acme.example'], capabilities: ['code'] }],
  rules: [
    { name: 'label', provider: 'linear', label: 'workledger', priority: 2 },
    { name: 'mention', provider: 'linear', mention: 'workledger', priority: 3 },
    { name: 'assigned', provider: 'linear', assignee: 'robot@acme.example', priority: 3 },
  ],
};

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: [SECRET], rules });
});
afterAll(() => service.close());

const ada = { id: 'u1', name: 'Ada', email: 'ada@acme.example', type: 'user' };
const label = { id: 'l1', name: 'workledger' };
let issues = 0;
/** An issue of its own for each test, as it stands once it has its label. */
const newIssue = () => ({
  ...{ id: randomUUID(), identifier: `ENG-${(issues += 1)}`, title: 'Sum is slow', description: 'Make it fast.' },
  ...{ team: { key: 'ENG' }, labels: [label], state: { type: 'unstarted' }, updatedAt: '2026-11-28T12:00:01.000Z' },
});
type Data = ReturnType<typeof newIssue>;
const labeled = (data: object) => ({
  action: 'update',
  type: 'Issue',
  actor: ada,
  data,
  updatedFrom: { labelIds: [] },
});
const unlabeled = (data: Data) => ({
  ...labeled({ ...data, labels: [], updatedAt: '2026-11-28T12:00:02.000Z' }),
  updatedFrom: { labelIds: ['l1'] },
});

type Sending = {
  readonly id?: string;
  readonly ageSeconds?: number;
  readonly event?: string;
  readonly secret?: string;
};
const sendText = (text: string, { id = randomUUID(), event = 'Issue', secret = SECRET }: Sending = {}) =>
  service.client.ask('POST', '/api/v1/webhooks/linear', {
    text,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Linear-Signature': createHmac('sha256', secret).update(text).digest('hex'),
      ...{ 'Linear-Event': event, 'Linear-Delivery': id },
    },
  });
const bodyOf = (payload: object, ageSeconds = 0): string =>
  JSON.stringify({ ...payload, webhookTimestamp: Date.now() - ageSeconds * 1_000 });
const send = (payload: object, sending: Sending = {}) => sendText(bodyOf(payload, sending.ageSeconds), sending);

describe('a delivery of Linear', () => {
  test('that a rule asks for leads to the task of its issue, and its copies, hours later, to nothing more', async () => {
    const [id, issue] = [randomUUID(), newIssue()];
    const text = bodyOf(labeled(issue), 7 * 3_600);
    const told = await sendText(text, { id });
    const taskId = taskIdOfIssue('linear', 'ENG', issue.id);
    const streamId = deliveryStreamId('linear', id);
    expect([told.status, told.body]).toEqual([200, { id: streamId, deliveryId: id, outcome: 'routed', taskId }]);

    const [received, routed] = await eventsOf(service.log, `delivery-${streamId}`);
    expect(received?.data).toMatchObject({ provider: 'linear', repository: 'ENG', sender: 'ada@acme.example' });
    const { sentAt } = received?.data as { sentAt: string };
    expect(Date.now() - Date.parse(sentAt)).toBeGreaterThan(7 * 3_600_000 - 1);
    const source = { kind: 'linear', reference: issue.identifier, url: null };
    expect(routed?.data).toMatchObject({ rule: 'label', intent: { repository: 'sample', priority: 2, source } });

    const context = { actor: 'system', correlationId: randomUUID() };
    const create = { type: 'task.create-from-delivery', target: taskId, data: { deliveryId: streamId } } as const;
    await service.commands.send(create, context);
    const [created] = await eventsOf(service.log, `task-${taskId}`);
    expect(created?.data).toMatchObject({ title: 'Sum is slow', source });

    const head = await service.log.head();
    for (const copy of [id, id.toUpperCase(), randomUUID()])
      expect(await sendText(text, { id: copy })).toMatchObject({ status: 200, body: { redelivery: true, taskId } });
    expect(await service.log.head()).toBe(head);
  });

  test('sent several times at once is recorded once', async () => {
    const [id, text] = [randomUUID(), bodyOf(labeled(newIssue()))];
    const told = await Promise.all(Array.from({ length: 6 }, () => sendText(text, { id })));
    expect(told.map(({ status }) => status)).toEqual(told.map(() => 200));
    const stream = `delivery-${deliveryStreamId('linear', id)}`;
    expect(await typesOf(service.log, stream)).toEqual(['DeliveryReceived', 'DeliveryRouted']);
  });

  test('whose label is taken away cancels what it asked for, and a label of nobody’s nothing', async () => {
    const issue = newIssue();
    const taskId = taskIdOfIssue('linear', 'ENG', issue.id);
    const other = { ...labeled(issue), updatedFrom: { labelIds: ['l1', 'l9'] } };
    expect((await send(other)).body).toMatchObject({ outcome: 'ignored', reason: 'no rule for this label' });
    await send(labeled(issue));
    const told = await send(unlabeled(issue));
    expect(told.body).toMatchObject({ outcome: 'routed', taskId });
    const [, routed] = await eventsOf(service.log, `delivery-${String(told.body['id'])}`);
    expect(routed?.data).toMatchObject({
      intent: { kind: 'cancel-task', reason: `issue ${issue.identifier} lost the label workledger` },
    });
  });

  test('of an issue that two rules asked for is cancelled by what either takes back', async () => {
    const robot = { id: 'r1', email: 'robot@acme.example' };
    const at = (second: number) => `2026-11-28T12:00:0${second}.000Z`;
    for (const takeBack of [
      (issue: ReturnType<typeof newIssue>) => unlabeled({ ...issue, ...{ assignee: robot } }),
      (issue: ReturnType<typeof newIssue>) => ({
        ...labeled(issue),
        ...{ updatedFrom: { assigneeId: 'r1' }, action: 'update' },
      }),
    ]) {
      const issue = newIssue();
      await send(labeled({ ...issue, updatedAt: at(1) }));
      const assigned = labeled({ ...issue, ...{ assignee: robot, updatedAt: at(2) } });
      await send({ ...assigned, updatedFrom: { assigneeId: null } });
      expect((await send(takeBack({ ...issue, updatedAt: at(3) }))).body).toMatchObject({ outcome: 'routed' });
    }
  });

  test('of a comment on an issue that is closed starts nothing', async () => {
    const { id, identifier, team, title } = newIssue();
    const issue = { id, identifier, team, title, state: { type: 'canceled' } };
    const data = { id: randomUUID(), body: '@workledger please', issue };
    expect(
      (await send({ action: 'create', type: 'Comment', actor: ada, data }, { event: 'Comment' })).body,
    ).toMatchObject({ outcome: 'ignored', reason: `issue ${identifier} is not open` });
  });

  test('that comes after a newer one has no effect', async () => {
    const issue = newIssue();
    await send(labeled({ ...issue, updatedAt: '2026-11-28T12:00:09.000Z' }));
    expect((await send(unlabeled(issue))).body).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining('the newer state counts'),
    });
  });

  test('of a comment that mentions asks for the task of its issue, which is one', async () => {
    const { id, identifier, team, title } = newIssue();
    const data = { id: randomUUID(), body: '@workledger please', issue: { id, identifier, team, title } };
    const told = await send({ action: 'create', type: 'Comment', actor: ada, data }, { event: 'Comment' });
    expect(told.body).toMatchObject({ outcome: 'routed', taskId: taskIdOfIssue('linear', 'ENG', id) });
  });

  test.each<[string, () => object, string]>([
    [
      'of an untrusted sender',
      () => ({ ...labeled(newIssue()), actor: { email: 'eve@acme.example' } }),
      'the sender is not trusted by repository sample',
    ],
    ['of another team', () => labeled({ ...newIssue(), team: { key: 'OPS' } }), 'repository OPS is not registered'],
    ['of another type', () => ({ ...labeled(newIssue()), type: 'Project' }), 'event Project starts no work'],
  ])('%s is recorded as ignored, with the reason', async (_, payload, reason) => {
    expect(await send(payload())).toMatchObject({ status: 200, body: { outcome: 'ignored', reason } });
  });
});

describe('what is not a delivery of Linear changes nothing', () => {
  test.each<[string, () => Promise<unknown>, number, string]>([
    ['another secret', () => send(labeled(newIssue()), { secret: 'guess' }), 401, 'bad-signature'],
    ['what was captured yesterday', () => send(labeled(newIssue()), { ageSeconds: 86_400 }), 401, 'bad-signature'],
    ['no delivery id', () => send(labeled(newIssue()), { id: '' }), 400, 'invalid-request'],
    ['no event', () => send(labeled(newIssue()), { event: '' }), 400, 'invalid-request'],
    ['more than 5 MiB', () => sendText('x'.repeat(5 * 1024 * 1024 + 1)), 413, 'too-large'],
  ])('%s', async (_, ask, status, code) => {
    await expectNothing(service, ask as Parameters<typeof expectNothing>[1], status, code);
  });

  test('a strict minute is kept where it is configured', async () => {
    const strict = await startService({ secrets: [SECRET], rules, maxAgeSeconds: 60 });
    const text = bodyOf(labeled(newIssue()), 61);
    const headers = {
      'Linear-Signature': createHmac('sha256', SECRET).update(text).digest('hex'),
      ...{ 'Linear-Event': 'Issue', 'Linear-Delivery': randomUUID() },
    };
    const ask = () => strict.client.ask('POST', '/api/v1/webhooks/linear', { text, headers });
    await expectNothing(strict, ask, 401, 'bad-signature');
    await strict.close();
  });
});

test('a project that is registered apart has its own secret, and its own task', async () => {
  const apart = await startService({
    secrets: [SECRET],
    repositorySecrets: new Map([['eng/search', ['its own']]]),
    rules: {
      ...rules,
      repositories: [
        ...rules.repositories,
        { name: 'search', linear: 'ENG/Search', trusted: ['linear:ada@acme.example'], capabilities: [] },
      ],
    },
  });
  const issue = { ...newIssue(), project: { id: 'p1', name: 'Search' } };
  const ask = (secret: string) => {
    const text = bodyOf(labeled(issue));
    const headers = {
      'Linear-Signature': createHmac('sha256', secret).update(text).digest('hex'),
      ...{ 'Linear-Event': 'Issue', 'Linear-Delivery': randomUUID() },
    };
    return apart.client.ask('POST', '/api/v1/webhooks/linear', { text, headers });
  };
  await expectNothing(apart, () => ask(SECRET), 401, 'bad-signature');
  expect((await ask('its own')).body).toMatchObject({ taskId: taskIdOfIssue('linear', 'ENG/Search', issue.id) });
  await apart.close();
});
