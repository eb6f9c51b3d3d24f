import { createHmac, randomUUID } from 'node:crypto';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import {
  deliveryStreamId,
  taskIdOfIssue,
  type ProviderName,
} from '@workledger/shared/contexts/sync/delivery/events.ts';
import { parsePart } from '@workledger/shared/http/parse.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { expectNothing, startService, type Service } from '../api/testing/service.ts';
import type { RoutingRules } from '../domain/delivery.ts';
import { eventsOf } from '../processes/testing.ts';
import { isSigned, readJson, type Provider, type ProviderRequest } from './provider.ts';
import { github } from './providers/github.ts';
import { secretsOf } from './providers.ts';

// What a second and a third provider take: a value each, its place in the list, its part of the configuration. These two have only
// as much of Linear and Slack as it needs to differ from GitHub wherever the three differ.

const nothing = { action: null, repository: null, sender: null };

const linearBody = z.object({
  webhookTimestamp: z.int(),
  action: z.string(),
  actor: z.object({ email: z.string() }).nullish(),
  data: z.object({
    identifier: z.string(),
    title: z.string(),
    description: z.string().nullish(),
    team: z.object({ key: z.string() }),
    labels: z.array(z.object({ name: z.string() })),
  }),
});

/** The bare signature, the delivery in a header, the time in the body, and nothing but 200 is a success. */
const linear: Provider = {
  name: 'linear',
  title: 'Linear',
  headers: { signature: 'Linear-Signature', event: 'Linear-Event', delivery: 'Linear-Delivery' },
  mediaTypes: ['application/json'],
  recordedStatus: 200,
  verify: ({ headers, bytes, receivedAt }, secrets) => {
    if (!isSigned([bytes], headers['linear-signature'], secrets)) return 'Linear-Signature does not sign this body';
    const { webhookTimestamp } = parsePart(linearBody.pick({ webhookTimestamp: true }), readJson(bytes), 'body');
    return Math.abs(receivedAt.getTime() - webhookTimestamp) <= 60_000 ? null : 'webhookTimestamp is too long ago';
  },
  identify: ({ headers }) => {
    const needed = z.object({ 'linear-event': z.string(), 'linear-delivery': z.uuid() });
    const given = parsePart(needed, headers, 'headers');
    return { event: given['linear-event'], deliveryId: given['linear-delivery'] };
  },
  read: (event, { bytes }) => {
    if (event !== 'Issue') return { ...nothing, reason: `event ${event} starts no work` };
    const { action, actor, data } = parsePart(linearBody, readJson(bytes), 'body');
    const labels = data.labels.map(({ name }) => name);
    return {
      action,
      repository: data.team.key,
      sender: actor?.email ?? null,
      issue: {
        id: data.identifier,
        name: `issue ${data.identifier}`,
        reference: data.identifier,
        url: null,
        title: data.title,
        body: data.description ?? '',
        labels,
        author: null,
        isOpen: true,
      },
      change: { kind: 'labeled', added: labels },
    };
  },
};

/** The signature is over a header, too; the delivery is named in the body, which is JSON or a form; a challenge wants an answer. */
const slack: Provider = {
  name: 'slack',
  title: 'Slack',
  headers: { signature: 'X-Slack-Signature', timestamp: 'X-Slack-Request-Timestamp' },
  mediaTypes: ['application/json', 'application/x-www-form-urlencoded'],
  verify: ({ headers, bytes, receivedAt }, secrets) => {
    const timestamp = headers['x-slack-request-timestamp'] ?? '';
    const hex = /^v0=(.*)$/.exec(headers['x-slack-signature'] ?? '')?.[1];
    if (!isSigned([`v0:${timestamp}:`, bytes], hex, secrets)) return 'X-Slack-Signature does not sign this body';
    return Math.abs(receivedAt.getTime() / 1_000 - Number(timestamp)) <= 300 ? null : 'it was signed too long ago';
  },
  identify: (request) => {
    const told = slackBody(request);
    if (told.type === 'url_verification') return { answer: { challenge: told.challenge } };
    return { event: told.type ?? 'command', deliveryId: told.event_id ?? told.trigger_id ?? '' };
  },
  read: (event, request) => {
    const { channel_id = null, user_id = null } = slackBody(request);
    return { ...nothing, repository: channel_id, sender: user_id, reason: `event ${event} starts no work` };
  },
};
const slackFields = z.partialRecord(
  z.enum(['type', 'challenge', 'event_id', 'trigger_id', 'channel_id', 'user_id']),
  z.string(),
);
const slackBody = ({ bytes, mediaType }: ProviderRequest): z.infer<typeof slackFields> => {
  const isForm = mediaType === 'application/x-www-form-urlencoded';
  const body = isForm ? Object.fromEntries(new URLSearchParams(Buffer.from(bytes).toString())) : readJson(bytes);
  return parsePart(slackFields, body, 'body');
};

const SECRET = 'a secret';
const rules: RoutingRules = {
  repositories: [{ name: 'sample', linear: 'ENG', trusted: ['ada@acme.example'], capabilities: ['code'] }],
  rules: [{ name: 'asked in Linear', provider: 'linear', label: 'workledger', priority: 2 }],
};

let service: Service;
beforeAll(async () => {
  service = await startService({ providers: [github, linear, slack], secrets: [SECRET], rules });
});
afterAll(() => service.close());

const hmac = (text: string): string => createHmac('sha256', SECRET).update(text).digest('hex');
const post = (provider: ProviderName, text: string, headers: Record<string, string>) =>
  service.client.ask('POST', `/api/v1/webhooks/${provider}`, { text, headers });

describe('Linear', () => {
  const issue = {
    action: 'update',
    actor: { email: 'ada@acme.example' },
    data: { identifier: 'ENG-7', title: 'Sum is slow', team: { key: 'ENG' }, labels: [{ name: 'workledger' }] },
  };
  const send = (id: string, age = 0) => {
    const text = JSON.stringify({ ...issue, webhookTimestamp: Date.now() - age });
    return post('linear', text, { 'Linear-Signature': hmac(text), 'Linear-Event': 'Issue', 'Linear-Delivery': id });
  };

  test('a delivery is routed to a task whose source it is; a copy gets the first receipt', async () => {
    const id = randomUUID();
    const told = await send(id);
    const taskId = taskIdOfIssue('linear', 'ENG', 'ENG-7');
    const streamId = deliveryStreamId('linear', id);
    expect([told.status, told.body]).toEqual([200, { id: streamId, deliveryId: id, outcome: 'routed', taskId }]);
    const again = await send(id);
    expect([again.status, again.body]).toMatchObject([200, told.body]);

    const [received, routed, ...more] = await eventsOf(service.log, `delivery-${streamId}`);
    expect(received?.data).toMatchObject({ provider: 'linear', event: 'Issue', action: 'update', repository: 'ENG' });
    expect(routed).toMatchObject({
      type: 'DeliveryRouted',
      data: {
        rule: 'asked in Linear',
        taskId,
        intent: {
          kind: 'create-task',
          title: 'Sum is slow',
          repository: 'sample',
          priority: 2,
          source: { kind: 'linear', reference: 'ENG-7', url: null },
        },
      },
    });
    expect(more).toEqual([]);

    const context = { actor: 'system', correlationId: randomUUID() };
    const create = { type: 'task.create-from-delivery', target: taskId, data: { deliveryId: streamId } };
    await service.commands.send(create, context);
    const [created] = await eventsOf(service.log, `task-${taskId}`);
    expect(created?.data).toMatchObject({ title: 'Sum is slow', source: { kind: 'linear', reference: 'ENG-7' } });
  });

  test('a delivery that is too old, or signed as GitHub signs, changes nothing', async () => {
    await expectNothing(service, () => send(randomUUID(), 61_000), 401, 'bad-signature');
    const headers = { 'X-Hub-Signature-256': `sha256=${hmac('{}')}`, 'Linear-Delivery': randomUUID() };
    await expectNothing(service, () => post('linear', '{}', headers), 401, 'bad-signature');
  });
});

describe('Slack', () => {
  const send = (text: string, { age = 0, mediaType = 'application/json' } = {}) => {
    const timestamp = String(Math.floor(Date.now() / 1_000) - age);
    return post('slack', text, {
      'Content-Type': mediaType,
      'X-Slack-Request-Timestamp': timestamp,
      'X-Slack-Signature': `v0=${hmac(`v0:${timestamp}:${text}`)}`,
    });
  };

  test('a challenge is answered at once and recorded nowhere', async () => {
    const head = await service.log.head();
    const told = await send(JSON.stringify({ type: 'url_verification', challenge: 'abc' }));
    expect([told.status, told.body]).toEqual([200, { challenge: 'abc' }]);
    expect(await service.log.head()).toBe(head);
  });

  test('a delivery is known by what its body says, JSON or form', async () => {
    const event = JSON.stringify({ type: 'event_callback', event_id: 'Ev1' });
    const form = 'trigger_id=1.2&user_id=U1&channel_id=C1';
    const mediaType = 'application/x-www-form-urlencoded';
    for (const [text, id, type] of [
      [event, 'Ev1', 'application/json'],
      [form, '1.2', mediaType],
    ] as const) {
      const first = await send(text, { mediaType: type });
      expect([first.status, first.body]).toMatchObject([202, { deliveryId: id, outcome: 'ignored' }]);
      const again = await send(text, { mediaType: type });
      expect([again.status, again.body]).toMatchObject([200, first.body]);
      const [received] = await eventsOf(service.log, `delivery-${deliveryStreamId('slack', id)}`);
      expect(received?.data).toMatchObject({ provider: 'slack', body: { mediaType: type, size: text.length } });
    }
  });

  test('what was signed too long ago, or is neither JSON nor a form, changes nothing', async () => {
    await expectNothing(service, () => send('{}', { age: 301 }), 401, 'bad-signature');
    await expectNothing(service, () => send('x', { mediaType: 'text/plain' }), 415, 'unsupported-media-type');
  });
});

test('the secrets of a provider are found under its name', async () => {
  const { webhooks: known } = configurationSchema.parse({});
  const webhooks = { ...known, linear: { secrets: [{ env: 'PATH' }] } };
  expect(await secretsOf(linear, { webhooks }, '/')).toEqual([process.env['PATH']]);
  expect(await secretsOf(github, { webhooks }, '/')).toEqual([]);
  const missing = { ...known, linear: { secrets: [{ env: 'NO_SUCH_VARIABLE' }] } };
  await expect(secretsOf(linear, { webhooks: missing }, '/')).rejects.toThrow('webhooks.linear.secrets[0]');
});
