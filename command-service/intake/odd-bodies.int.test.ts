import { createHmac, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type Service } from '../api/testing/service.ts';
import type { RoutingRules } from '../domain/signal.ts';
import { FORM } from './provider.ts';
import { labeled } from './testing.ts';

// Whatever GitHub, Linear or Slack signs is recorded, and answered by 2xx: they would else send it again, or not at all, and give the webhook up.

const SECRET = 'a secret';
const rules: RoutingRules = {
  repositories: [
    {
      ...{ name: 'sample', github: 'acme/shop', linear: 'ENG', slack: 'C1', capabilities: [] },
      trusted: ['ada', 'linear:ada@acme.example', 'slack:U1'],
    },
  ],
  rules: [
    { name: 'label', provider: 'linear', label: 'workledger', priority: 2 },
    { name: 'emoji', provider: 'slack', reaction: 'robot_face', priority: 3 },
    { name: 'mention', provider: 'slack', mention: true, priority: 3 },
    { name: 'hub', provider: 'github', label: 'workledger', priority: 2 },
  ],
};

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: [SECRET], rules });
});
afterAll(() => service.close());

const hmac = (text: string): string => createHmac('sha256', SECRET).update(text).digest('hex');
const ask = (provider: string, text: string, headers: Record<string, string>) =>
  service.client.ask('POST', `/api/v1/webhooks/${provider}`, { text, headers });

const github = {
  ...labeled,
  comment: { id: 7, body: '@workledger approve', user: { login: 'ada' }, path: 'a.ts', line: 1 },
  review: { id: 8, state: 'commented', body: '@workledger' },
  pull_request: {
    ...{
      number: 9,
      draft: false,
      user: { login: 'ada' },
      author_association: 'OWNER',
      labels: [{ name: 'workledger' }],
    },
    ...{ body: `<!-- workledger:begin task=${randomUUID()} `, state: 'open', before: 'a'.repeat(40) },
    head: { ref: 'workledger/x', sha: 'a'.repeat(40), repo: { full_name: 'acme/shop' } },
  },
  check_suite: { head_branch: 'workledger/x', pull_requests: [{ number: 9 }] },
};
const linear = {
  ...{ action: 'update', type: 'Issue', url: 'https://linear.app/x', updatedFrom: { labelIds: [] } },
  actor: { id: 'u1', name: 'Ada', email: 'ada@acme.example' },
  data: {
    ...{ id: 'i1', identifier: 'ENG-1', title: 'Sum', description: 'slow', labels: [{ id: 'l1', name: 'workledger' }] },
    ...{ team: { key: 'ENG' }, state: { type: 'started' }, updatedAt: '2026-11-28T12:00:00Z', body: '@workledger' },
    ...{ issue: { id: 'i1', team: { key: 'ENG' } }, project: { id: 'p', name: 'P' } },
  },
};
const slack = {
  ...{ type: 'event_callback', team_id: 'T1', challenge: 'x', command: '/workledger', trigger_id: 't', text: 'x' },
  event: {
    ...{
      type: 'reaction_added',
      user: 'U1',
      channel: 'C1',
      text: '<@U0> x',
      ts: '1.1',
      event_ts: '1.1',
      thread_ts: '1.1',
    },
    ...{
      reaction: 'robot_face',
      item: { type: 'message', channel: 'C1', ts: '1.1' },
      message: { ts: '1.1', text: 'x' },
    },
  },
};

/** A value, or what may stand in its place. */
const odd = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2, noUnicodeString: false }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\u0000', '\ud800', '', '1e400', 'C1', 'message', 'app_mention', 'Comment', '__proto__'),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, -1, 1e308, 2 ** 53, true, [], {}, [[]], [null]) },
);

/** The same with some values replaced, wherever they stand. */
const spoilt = (value: unknown): fc.Arbitrary<unknown> => {
  const inner =
    typeof value === 'object' && value !== null
      ? fc.record(Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spoilt(each)])))
      : fc.constant(value);
  return fc.oneof({ weight: 12, arbitrary: inner }, { weight: 1, arbitrary: odd });
};

const text = fc.oneof(
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.json() },
);

test('whatever GitHub signs is recorded once, and answered by 2xx', async () => {
  const json = spoilt(github).map((value) => JSON.stringify(object(value, { moment: randomUUID() })));
  const form = fc.oneof(
    { weight: 4, arbitrary: json.map((payload) => String(new URLSearchParams({ payload }))) },
    { weight: 1, arbitrary: text },
  );
  const body = fc.oneof(
    { weight: 3, arbitrary: fc.record({ given: json, mediaType: fc.constant('application/json') }) },
    { weight: 2, arbitrary: fc.record({ given: form, mediaType: fc.constantFrom(FORM, `${FORM}; charset=utf-8`) }) },
    { weight: 1, arbitrary: fc.record({ given: text, mediaType: fc.constant('application/json') }) },
  );
  const event = fc.constantFrom(
    ...['issues', 'issue_comment', 'pull_request', 'pull_request_review', 'pull_request_review_comment'],
    ...['check_suite', 'push', 'ping', 'Tomorrow'],
  );
  await fc.assert(
    fc.asyncProperty(body, event, async ({ given, mediaType }, event) => {
      const named = { 'X-GitHub-Event': event, 'X-GitHub-Delivery': randomUUID(), 'Content-Type': mediaType };
      const headers = { ...named, 'X-Hub-Signature-256': `sha256=${hmac(given)}` };
      const [first, again] = [await ask('github', given, headers), await ask('github', given, headers)];
      // A body that a run before this one made, too, is that one's replay.
      expect([200, 202]).toContain(first.status);
      expect(again.status).toBe(200);
      expect(again.body).toMatchObject({ id: first.body['id'], outcome: first.body['outcome'], redelivery: true });
    }),
    { numRuns: 300 },
  );
}, 120_000);

test('whatever Linear signs is recorded once, and answered by 200', async () => {
  const body = fc.oneof(
    {
      weight: 6,
      arbitrary: spoilt(linear).map((value) => JSON.stringify(object(value, { webhookTimestamp: Date.now() }))),
    },
    { weight: 1, arbitrary: text },
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('Issue', 'Comment', 'Tomorrow'), async (given, event) => {
      const headers = { 'Linear-Signature': hmac(given), 'Linear-Event': event, 'Linear-Delivery': randomUUID() };
      const [first, again] = [await ask('linear', given, headers), await ask('linear', given, headers)];
      expect([first.status, again.status]).toEqual([200, 200]);
      expect(again.body).toMatchObject({ id: first.body['id'], outcome: first.body['outcome'], redelivery: true });
    }),
    { numRuns: 300 },
  );
}, 120_000);

test('whatever Slack signs is recorded once, and answered by 200', async () => {
  const json = spoilt(slack).map((value) => JSON.stringify(object(value, { event_id: randomUUID() })));
  const form = spoilt({ ...slack, event: undefined }).map((value) => {
    // An object is told as JSON: with a `toString` of its own it could not be told otherwise.
    const told = (each: unknown): string => (typeof each === 'string' ? each : String(JSON.stringify(each)));
    const fields = Object.entries(object(value, {})).map(([key, each]): [string, string] => [key, told(each)]);
    return String(new URLSearchParams(fields));
  });
  const body = fc.oneof(
    { weight: 4, arbitrary: fc.record({ given: json, mediaType: fc.constant('application/json') }) },
    { weight: 2, arbitrary: fc.record({ given: form, mediaType: fc.constant(FORM) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        given: json.map((payload) => String(new URLSearchParams({ payload }))),
        mediaType: fc.constant(FORM),
      }),
    },
    { weight: 1, arbitrary: fc.record({ given: text, mediaType: fc.constantFrom('application/json', FORM) }) },
  );
  await fc.assert(
    fc.asyncProperty(body, async ({ given, mediaType }) => {
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const headers = {
        ...{ 'Content-Type': mediaType, 'X-Slack-Request-Timestamp': timestamp },
        'X-Slack-Signature': `v0=${hmac(`v0:${timestamp}:${given}`)}`,
      };
      const first = await ask('slack', given, headers);
      const head = await service.log.head();
      const again = await ask('slack', given, headers);
      expect([first.status, again.status, again.body]).toEqual([200, 200, first.body]);
      expect(await service.log.head()).toBe(head);
    }),
    { numRuns: 300 },
  );
}, 120_000);

/** What Linear and Slack always send is an object, whatever stands in it. */
const object = (value: unknown, more: object): Record<string, unknown> => ({
  ...(typeof value === 'object' ? value : { value }),
  ...more,
});
