import { randomUUID } from 'node:crypto';
import { deliveryStreamId, taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothing, startService, type Service } from '../api/testing/service.ts';
import { eventsOf, typesOf } from '../processes/testing.ts';
import { FORM } from './provider.ts';
import { another, labeled, PATH, rules, type Sending, senderTo } from './testing.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: ['current secret', 'next secret'], rules });
});
afterAll(() => service.close());

const send = senderTo(() => service);
const issueOf = (number: number) => ({ ...labeled.issue, number });

describe('a delivery', () => {
  test('that a rule asks for is recorded with its body and routed to the task of the issue', async () => {
    const id = randomUUID();
    const told = await send(labeled, { id });
    const taskId = taskIdOfIssue('github', 'acme/shop', 7);
    const streamId = deliveryStreamId('github', id);
    expect([told.status, told.body]).toEqual([202, { id: streamId, deliveryId: id, outcome: 'routed', taskId }]);
    expect(told.headers.get('consistency-token')).toBe(`delivery-${streamId}@1`);

    const [received, routed] = await eventsOf(service.log, `delivery-${streamId}`);
    expect(received).toMatchObject({
      type: 'DeliveryReceived',
      metadata: { actor: 'system', correlationId: told.headers.get('x-correlation-id') },
      data: { provider: 'github', event: 'issues', action: 'labeled', repository: 'acme/shop', sender: 'ada' },
    });
    expect(routed).toMatchObject({
      type: 'DeliveryRouted',
      data: {
        rule: 'label',
        taskId,
        intent: { kind: 'create-task', repository: 'sample', requester: 'eve', priority: 2 },
      },
    });
    const { digest } = (received?.data as { body: { digest: string } }).body;
    const stored = await service.artefacts.get(digest);
    expect(Buffer.from(stored?.bytes ?? []).toString()).toBe(JSON.stringify(labeled));
  });

  test('may be signed with the next secret', async () => {
    expect((await send(another(labeled), { secret: 'next secret' })).status).toBe(202);
  });

  test('sent again gets the first receipt and appends nothing, even where the body or the rules are others by now', async () => {
    const id = randomUUID();
    const body = another(labeled);
    const first = await send(body, { id });
    const head = await service.log.head();
    for (const again of [body, { ...body, sender: { login: 'mallory' } }]) {
      const told = await send(again, { id: id.toUpperCase() });
      expect([told.status, told.body]).toMatchObject([200, first.body]);
    }
    expect(await service.log.head()).toBe(head);
  });

  test('sent several times at once is recorded once', async () => {
    const id = randomUUID();
    const body = another(labeled);
    const told = await Promise.all(Array.from({ length: 6 }, () => send(body, { id })));
    expect(told.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 202]);
    expect(new Set(told.map(({ body: { id, outcome, taskId } }) => JSON.stringify([id, outcome, taskId]))).size).toBe(
      1,
    );
    const stream = `delivery-${deliveryStreamId('github', id)}`;
    expect(await typesOf(service.log, stream)).toEqual(['DeliveryReceived', 'DeliveryRouted']);
  });

  test('of a closed issue cancels its task', async () => {
    const id = randomUUID();
    await send(
      { ...labeled, action: 'closed', label: undefined, issue: { ...labeled.issue, state: 'closed' } },
      { id },
    );
    const [, routed] = await eventsOf(service.log, `delivery-${deliveryStreamId('github', id)}`);
    expect(routed?.data).toMatchObject({ intent: { kind: 'cancel-task' } });
  });

  test('of an issue that never had a task cancels nothing: it is recorded as ignored', async () => {
    const issue = { ...labeled.issue, number: 71, state: 'closed', labels: [] };
    const told = await send({ ...labeled, action: 'closed', label: undefined, issue });
    expect(told.body).toMatchObject({ outcome: 'ignored', reason: 'issue #71 has no task' });
    expect(told.body).not.toHaveProperty('taskId');
  });

  test('that labels an issue again is ignored once its task exists, and says how to retry what has ended', async () => {
    const issue = { ...labeled, issue: { ...labeled.issue, number: 72 } };
    const target = taskIdOfIssue('github', 'acme/shop', 72);
    const context = { actor: 'system', correlationId: randomUUID() };
    const { id: deliveryId } = (await send(issue)).body;
    await service.commands.send({ type: 'task.create-from-delivery', target, data: { deliveryId } }, context);
    expect((await send(another(issue))).body).toMatchObject({
      outcome: 'ignored',
      reason: `issue #72 has the task ${target} already; it is pending`,
    });
    const closed = { ...issue, action: 'closed', label: undefined, issue: { ...issue.issue, labels: [] } };
    expect((await send(closed)).body).toMatchObject({ outcome: 'routed', taskId: target });
    await service.commands.send({ type: 'task.cancel', target, data: { reason: 'closed' } }, context);
    expect((await send(another(issue))).body).toMatchObject({
      outcome: 'ignored',
      reason: `issue #72 has the cancelled task ${target}: start it again by POST /api/v1/tasks/${target}/retry`,
    });
  });

  test.each([
    ['ping', { zen: 'Design for failure.', hook_id: 1, hook: {} }, 'ping: the webhook is set up'],
    ['push', { ref: 'refs/heads/main', repository: { full_name: 'acme/shop' } }, 'event push starts no work'],
    ['issues', { ...labeled, sender: { login: 'mallory' } }, 'the sender is not trusted by repository sample'],
    ['issues', { ...labeled, repository: { full_name: 'acme/other' } }, 'repository acme/other is not registered'],
  ])(
    'of the event %s that no rule asks for is recorded as ignored, with the reason',
    async (event, payload, reason) => {
      const id = randomUUID();
      const told = await send(payload, { event, id });
      expect([told.status, told.body]).toMatchObject([202, { outcome: 'ignored', reason }]);
      const stream = `delivery-${deliveryStreamId('github', id)}`;
      expect(await typesOf(service.log, stream)).toEqual(['DeliveryReceived', 'DeliveryIgnored']);
    },
  );
});

describe('whatever GitHub may send', () => {
  const asForm = { headers: { 'Content-Type': FORM } };

  test('may come as a form: it starts work, and what is kept is what was signed', async () => {
    const id = randomUUID();
    const form = String(new URLSearchParams({ payload: JSON.stringify({ ...labeled, issue: issueOf(81) }) }));
    const told = await send(form, { id, ...asForm });
    expect([told.status, told.body]).toMatchObject([202, { outcome: 'routed' }]);
    const [received, routed] = await eventsOf(service.log, `delivery-${deliveryStreamId('github', id)}`);
    expect(routed?.data).toMatchObject({
      intent: { title: labeled.issue.title, description: 'Make it fast.\r\nPlease.' },
    });
    const { digest, mediaType } = (received?.data as { body: { digest: string; mediaType: string } }).body;
    expect([Buffer.from((await service.artefacts.get(digest))?.bytes ?? []).toString(), mediaType]).toEqual([
      form,
      FORM,
    ]);
    expect((await send(form, { id, ...asForm })).body).toMatchObject({ redelivery: true, outcome: 'routed' });
  });

  test.each([
    ['a form without a payload', 'zen=a'],
    ['one whose escapes are none', 'payload=%7'],
    ['one of no JSON', 'payload=%7B'],
  ])('%s is recorded as not understood', async (_name, form) => {
    const told = await send(form, asForm);
    expect([told.status, told.body]).toMatchObject([202, { outcome: 'ignored', reason: 'the body is not understood' }]);
  });

  test('may be as large as GitHub makes it, several at once', async () => {
    const large = (number: number, mebibytes: number) =>
      send({ ...labeled, issue: issueOf(number), filler: 'x'.repeat(mebibytes * 1024 * 1024) });
    const told = await Promise.all([large(82, 24), ...[83, 84].map((number) => large(number, 6))]);
    expect(told.map(({ status, body }) => [status, body['outcome']])).toEqual(told.map(() => [202, 'routed']));
  });
});

describe('whatever is signed is recorded', () => {
  const { issue: _, ...withoutIssue } = labeled;
  test.each<[string, unknown, string, string]>([
    ['no JSON', '{"action":', 'issues', 'the body is not understood'],
    ['no body', '', 'issues', 'the body is not understood'],
    ['no object', '[]', 'issues', 'the body is not understood'],
    ['a million items', `[${'0,'.repeat(1_000_000)}0]`, 'push', 'the body is not understood'],
    ['an issue delivery without an issue', withoutIssue, 'issues', 'it does not say which issue it is about'],
    ['fields of other types', { ...labeled, action: 7, sender: 'ada' }, 'issues', 'action (none) starts no work'],
    ['an event of tomorrow', { action: 'x\u0000'.repeat(100) }, 'Event2', 'event Event2 starts no work'],
  ])('%s', async (_name, payload, event, reason) => {
    const told = await send(payload, { event });
    expect([told.status, told.body]).toMatchObject([202, { outcome: 'ignored', reason }]);
  });

  test('words that cannot be kept as they are start the work all the same', async () => {
    const words = { title: `a\u0000b ${'x'.repeat(990)}😀`, body: 'half \ud83d of it', user: { login: '\udc00' } };
    const labels = [{ name: 'workledger' }, { name: '\u0000\ud800' }, { name: 7 }, 'bug', { name: 'x'.repeat(500) }];
    const told = await send({ ...labeled, issue: { ...labeled.issue, number: 80, ...words, labels } });
    expect(told.body).toMatchObject({ outcome: 'routed' });
    const [, routed] = await eventsOf(service.log, `delivery-${String(told.body['id'])}`);
    expect(routed?.data).toMatchObject({
      intent: {
        title: `a\uFFFDb ${'x'.repeat(296)}`,
        description: 'half \uFFFD of it',
        labels: ['workledger', '\uFFFD\uFFFD'],
      },
    });
    const target = String(told.body['taskId']);
    const context = { actor: 'system', correlationId: randomUUID() };
    const data = { deliveryId: told.body['id'] };
    await service.commands.send({ type: 'task.create-from-delivery', target, data }, context);
    expect(await typesOf(service.log, `task-${target}`)).toEqual(['TaskCreated']);
  });
});

describe('what is not a delivery of GitHub changes nothing', () => {
  const cases: [string, unknown, Sending, number, string][] = [
    ['a wrong secret', labeled, { secret: 'guess' }, 401, 'bad-signature'],
    [
      'a signature of another body',
      labeled,
      { headers: { 'X-Hub-Signature-256': `sha256=${'0'.repeat(64)}` } },
      401,
      'bad-signature',
    ],
    ['no signature', labeled, { headers: { 'X-Hub-Signature-256': '' } }, 401, 'bad-signature'],
    [
      'a wrong signature and no JSON: the signature comes first',
      '{',
      { secret: 'guess', event: '' },
      401,
      'bad-signature',
    ],
    ['no event', labeled, { event: '' }, 400, 'invalid-request'],
    ['no delivery id', labeled, { id: '' }, 400, 'invalid-request'],
    ['a delivery id that is none', labeled, { id: '../../x' }, 400, 'invalid-request'],
    ['plain text', labeled, { headers: { 'Content-Type': 'text/plain' } }, 415, 'unsupported-media-type'],
    ['a compressed body', labeled, { headers: { 'Content-Encoding': 'gzip' } }, 415, 'unsupported-media-type'],
    ['more than 25 MiB', 'x'.repeat(25 * 1024 * 1024 + 1), {}, 413, 'too-large'],
  ];
  test.each(cases)('%s', async (_name, payload, sending, status, code) => {
    const artefacts = async () => (await service.database.pool.query('select 1 from artefacts.artefacts')).rowCount;
    const before = await artefacts();
    await expectNothing(service, () => send(payload, sending), status, code);
    expect(await artefacts()).toBe(before);
  });

  test('and neither signatures nor secrets are logged', () => {
    expect(service.logged()).toContain('bad webhook signature');
    expect(service.logged()).not.toMatch(/current secret|next secret|sha256=[0-9a-f]{8}/);
  });
});

test('without a configured secret every delivery is refused', async () => {
  const closed = await startService({ secrets: [], rules });
  const told = await expectNothing(
    closed,
    () =>
      closed.client.ask('POST', PATH, {
        json: labeled,
        headers: { 'X-GitHub-Event': 'issues', 'X-GitHub-Delivery': randomUUID() },
      }),
    503,
    'not-configured',
  );
  expect(told.body['detail']).toContain('no secret is configured');
  await closed.close();
});
