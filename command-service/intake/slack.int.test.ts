import { createHmac, randomUUID } from 'node:crypto';
import { deliveryStreamId, taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothing, startService, type Service } from '../api/testing/service.ts';
import type { RoutingRules } from '../domain/signal.ts';
import { eventsOf, typesOf } from '../processes/testing.ts';

const SECRET = 'a secret';
const FORM = 'application/x-www-form-urlencoded';
const rules: RoutingRules = {
  repositories: [{ name: 'sample', slack: 'C1', trusted: ['slack:U1', 'slack:U3'], capabilities: ['code'] }],
  rules: [
    { name: 'mention', provider: 'slack', mention: true, priority: 2 },
    { name: 'emoji', provider: 'slack', reaction: 'robot_face', priority: 3 },
    { name: 'command', provider: 'slack', command: '/workledger', priority: 1 },
  ],
};

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: [SECRET], rules });
});
afterAll(() => service.close());

type Sending = { readonly ageSeconds?: number; readonly mediaType?: string; readonly headers?: Record<string, string> };
const send = (text: string, { ageSeconds = 0, mediaType = 'application/json', headers }: Sending = {}) => {
  const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
  return service.client.ask('POST', '/api/v1/webhooks/slack', {
    text,
    headers: {
      ...{ 'Content-Type': mediaType, 'X-Slack-Request-Timestamp': timestamp },
      'X-Slack-Signature': `v0=${createHmac('sha256', SECRET).update(`v0:${timestamp}:${text}`).digest('hex')}`,
      ...headers,
    },
  });
};
const sendForm = (fields: Record<string, string>) => send(String(new URLSearchParams(fields)), { mediaType: FORM });
/** The status, and how long the body is: Slack itself wants to hear nothing. */
const heard = ({ status, headers }: Awaited<ReturnType<typeof send>>) => [status, headers.get('content-length')];
const callback = (event: object, event_id = `Ev${randomUUID()}`) =>
  JSON.stringify({ ...{ type: 'event_callback', event_id, team_id: 'T1' }, event });
/** Sends an event, and says what became of it. */
const outcomeOf = async (event: object) => {
  const id = `Ev${randomUUID()}`;
  const told = await send(callback(event, id));
  expect(heard(told)).toEqual([200, '0']);
  const [, outcome] = await eventsOf(service.log, `delivery-${deliveryStreamId('slack', id)}`);
  return outcome?.data;
};

let messages = 0;
const message = (change: object = {}) => {
  const ts = `17000000${String((messages += 1)).padStart(2, '0')}.000100`;
  return { type: 'message', channel: 'C1', user: 'U2', text: 'sum is slow\nvery', ts, event_ts: ts, ...change };
};
const reaction = ({ ts }: { ts: string }, change: object = {}) => ({
  ...{ type: 'reaction_added', user: 'U1', reaction: 'robot_face', item: { type: 'message', channel: 'C1', ts } },
  ...change,
});

describe('an event of Slack', () => {
  test('that mentions the app leads to the task of its thread, sent again to nothing more, even as a retry', async () => {
    const mention = message({ type: 'app_mention', user: 'U1', text: '<@U0BOT> sum is slow' });
    const id = `Ev${randomUUID()}`;
    const text = callback(mention, id);
    // A first try may never have come here.
    const retry = { headers: { 'X-Slack-Retry-Num': '1', 'X-Slack-Retry-Reason': 'http_timeout' } };
    expect(heard(await send(text, retry))).toEqual([200, '0']);
    const head = await service.log.head();
    for (const again of [text, callback({ ...mention, text: 'other words' }, id)])
      expect((await send(again)).status).toBe(200);
    expect(await service.log.head()).toBe(head);

    const [received, routed] = await eventsOf(service.log, `delivery-${deliveryStreamId('slack', id)}`);
    expect(received?.data).toMatchObject({ provider: 'slack', event: 'app_mention', repository: 'C1', sender: 'U1' });
    const taskId = taskIdOfIssue('slack', 'C1', mention.ts);
    expect(routed?.data).toMatchObject({
      ...{ rule: 'mention', taskId },
      intent: { title: 'sum is slow', priority: 2, source: { kind: 'slack', reference: `C1/${mention.ts}` } },
    });
    const create = { type: 'task.create-from-delivery', target: taskId } as const;
    const context = { actor: 'system', correlationId: randomUUID() };
    await service.commands.send({ ...create, data: { deliveryId: deliveryStreamId('slack', id) } }, context);
    const reply = message({ type: 'app_mention', user: 'U1', text: '<@U0BOT> and the product', thread_ts: mention.ts });
    expect(await outcomeOf(reply)).toMatchObject({ reason: expect.stringContaining(`has the task ${taskId} already`) });
  });

  test('of a reaction takes the words of its message, as they were changed last', async () => {
    const said = message();
    await outcomeOf(said);
    const changed = { type: 'message', subtype: 'message_changed', channel: 'C1', event_ts: '1800000000.000000' };
    await outcomeOf({ ...changed, message: { ...said, text: 'product is slow' } });
    // An older text that comes late is not the newest.
    await outcomeOf({ ...changed, event_ts: '1750000000.000000', message: { ...said, text: 'an older text' } });
    expect(await outcomeOf(reaction(said))).toMatchObject({
      ...{ rule: 'emoji', taskId: taskIdOfIssue('slack', 'C1', said.ts) },
      intent: { kind: 'create-task', title: 'product is slow', requester: 'U2' },
    });
    expect(await outcomeOf(reaction(said, { type: 'reaction_removed' }))).toMatchObject({
      intent: { kind: 'cancel-task', reason: `thread ${said.ts} lost the reaction robot_face` },
    });
  });

  test('of an emoji that was taken away ends what this emoji of this person began, and nothing else', async () => {
    const said = message();
    await outcomeOf(said);
    await outcomeOf(reaction(said));
    await outcomeOf(reaction(said, { user: 'U3' }));
    const another = { reason: 'this emoji did not begin the work: whoever gave the first takes it back' };
    expect(await outcomeOf(reaction(said, { type: 'reaction_removed', user: 'U3' }))).toEqual(another);
    expect(await outcomeOf(reaction(said, { type: 'reaction_removed' }))).toHaveProperty('intent.kind', 'cancel-task');
    const mention = message({ type: 'app_mention', user: 'U1', text: '<@U0BOT> sum is slow' });
    await outcomeOf(mention);
    await outcomeOf(reaction(mention));
    expect(await outcomeOf(reaction(mention, { type: 'reaction_removed' }))).toEqual(another);
  });

  test('of a reaction to a reply is about its thread, and so is a bare mention there', async () => {
    const root = message();
    const reply = message({ thread_ts: root.ts });
    for (const each of [root, reply]) await outcomeOf(each);
    const taskId = taskIdOfIssue('slack', 'C1', root.ts);
    expect(await outcomeOf(reaction(reply))).toMatchObject({ taskId });
    const bare = message({ type: 'app_mention', user: 'U1', text: '<@U0BOT>', thread_ts: root.ts });
    expect(await outcomeOf(bare)).toMatchObject({
      taskId,
      intent: { title: 'sum is slow', description: 'sum is slow\nvery' },
    });
  });

  test('of a reaction to what never came here starts nothing, and says what to do', async () => {
    expect(await outcomeOf(reaction(message()))).toMatchObject({ reason: expect.stringContaining('never came here') });
  });

  test.each<[string, object, string]>([
    [
      'of an untrusted person',
      message({ type: 'app_mention', text: 'x' }),
      'the sender is not trusted by repository sample',
    ],
    ['of a bot', message({ type: 'app_mention', user: 'U1', bot_id: 'B1' }), 'the words of a bot start no work'],
    ['of another channel', message({ channel: 'C9' }), 'repository C9 is not registered'],
    ['of words that no rule asks for', message({ user: 'U1' }), 'no rule for this message'],
    ['of another emoji', reaction({ ts: '1.1' }, { reaction: 'eyes' }), 'no rule for reaction eyes'],
  ])('%s is recorded as ignored, with the reason', async (_, event, reason) => {
    expect(await outcomeOf(event)).toEqual({ reason });
  });
});

describe('a command', () => {
  const command = { command: '/workledger', text: 'make it fast', user_id: 'U1', channel_id: 'C1', team_id: 'T1' };

  test('is answered to who gave it, with its task, once', async () => {
    const fields = { ...command, trigger_id: '1.2.a' };
    const taskId = taskIdOfIssue('slack', 'C1', '1.2.a');
    const answer = { response_type: 'ephemeral', text: `It has the task ${taskId}.` };
    for (const told of [await sendForm(fields), await sendForm(fields)])
      expect([told.status, told.body]).toEqual([200, answer]);
    const stream = `delivery-${deliveryStreamId('slack', '1.2.a')}`;
    expect(await typesOf(service.log, stream)).toEqual(['DeliveryReceived', 'DeliveryRouted']);
  });

  test('that starts nothing is told why', async () => {
    const { body } = await sendForm({ ...command, trigger_id: '1.2.b', user_id: 'U9' });
    expect(body).toMatchObject({ text: 'Nothing was started: the sender is not trusted by repository sample.' });
  });

  test('is answered within three seconds', async () => {
    const before = performance.now();
    await sendForm({ ...command, trigger_id: '1.2.c' });
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});

describe('what else Slack sends', () => {
  test('a challenge is answered and recorded nowhere, and so is whether its certificate is good', async () => {
    const head = await service.log.head();
    const told = await send(JSON.stringify({ type: 'url_verification', challenge: 'abc' }));
    expect([told.status, told.body]).toEqual([200, { challenge: 'abc' }]);
    expect((await sendForm({ ssl_check: '1' })).status).toBe(200);
    expect(await service.log.head()).toBe(head);
  });

  test('a button is recorded, for who will know what to make of it', async () => {
    const payload = JSON.stringify({
      type: 'block_actions',
      trigger_id: '1.2.d',
      user: { id: 'U1' },
      channel: { id: 'C1' },
    });
    expect(heard(await sendForm({ payload }))).toEqual([200, '0']);
    const [received, ignored] = await eventsOf(service.log, `delivery-${deliveryStreamId('slack', '1.2.d')}`);
    expect(received?.data).toMatchObject({
      event: 'block_actions',
      repository: 'C1',
      sender: 'U1',
      body: { mediaType: FORM },
    });
    expect(ignored?.data).toEqual({ reason: 'it is no button of Workledger' });
  });
});

test('what Slack did not sign, or long ago, or sends as something else, changes nothing', async () => {
  const text = callback(message());
  await expectNothing(service, () => send(text, { ageSeconds: 301 }), 401, 'bad-signature');
  await expectNothing(
    service,
    () => send(text, { headers: { 'X-Slack-Signature': `v0=${'0'.repeat(64)}` } }),
    401,
    'bad-signature',
  );
  const unsigned = { headers: { 'X-Slack-Signature': '' } };
  await expectNothing(
    service,
    () => send(JSON.stringify({ type: 'url_verification', challenge: 'abc' }), unsigned),
    401,
    'bad-signature',
  );
  await expectNothing(service, () => send('ssl_check=1', { ...unsigned, mediaType: FORM }), 401, 'bad-signature');
  await expectNothing(service, () => send('x', { mediaType: 'text/plain' }), 415, 'unsupported-media-type');
  expect(service.logged()).not.toMatch(/a secret|v0=[0-9a-f]{8}/);
});
