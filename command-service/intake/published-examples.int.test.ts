import published from '@octokit/webhooks-examples' with { type: 'json' };
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type Service } from '../api/testing/service.ts';
import { another, rules, senderTo } from './testing.ts';

type PublishedEvent = { readonly name: string; readonly examples: readonly object[] };
/** What GitHub publishes, and what others saw of it; each with the name of its event. */
const examples = (published as unknown as readonly PublishedEvent[]).flatMap(({ name, examples }) =>
  examples.map((payload) => ({ name, payload })),
);

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: ['current secret'], rules });
});
afterAll(() => service.close());

const send = senderTo(() => service);

const recorded = async (): Promise<number> => {
  const { rows } = await service.database.pool.query<{ count: number }>(
    "select count(*)::integer as count from event_log.events where type = 'DeliveryReceived'",
  );
  return rows[0]?.count ?? 0;
};

test('every example of every event that GitHub publishes is recorded, and none starts work by itself', async () => {
  expect(examples.length).toBeGreaterThan(300);
  const refused: unknown[] = [];
  for (let from = 0; from < examples.length; from += 20)
    await Promise.all(
      examples.slice(from, from + 20).map(async ({ name, payload }) => {
        const { status, body } = await send(another(payload), { event: name });
        if (status !== 202 || body['outcome'] !== 'ignored') refused.push([name, status, body]);
      }),
    );
  expect(refused).toEqual([]);
  expect(await recorded()).toBe(examples.length);
});

test('the same for a repository that is registered, whose rules apply to everybody', async () => {
  const own = await startService({
    secrets: ['current secret'],
    rules: {
      repositories: [{ name: 'hello', github: 'Codertocat/Hello-World', trusted: ['Codertocat'], capabilities: [] }],
      rules: [{ name: 'any', provider: 'github', label: 'bug', priority: 2 }],
    },
  });
  const issues = examples.filter(({ name }) => name.startsWith('issue'));
  const sendOwn = senderTo(() => own);
  const told = await Promise.all(issues.map(({ name, payload }) => sendOwn(another(payload), { event: name })));
  expect(told.filter(({ status }) => status !== 202)).toEqual([]);
  expect(told.filter(({ body }) => body['outcome'] === 'routed').length).toBeGreaterThan(0);
  await own.close();
});
