import { createHmac, randomUUID } from 'node:crypto';
import type { Service } from '../api/testing/service.ts';
import type { RoutingRules } from '../domain/signal.ts';

export const PATH = '/api/v1/webhooks/github';
/** One repository, whose label a trusted login may set. */
export const rules: RoutingRules = {
  repositories: [{ name: 'sample', github: 'acme/shop', trusted: ['ada'], capabilities: ['code'] }],
  rules: [{ name: 'label', provider: 'github', label: 'workledger', priority: 2 }],
};

/** What GitHub sends when a label is added to an issue, cut to its usual parts. */
export const labeled = {
  action: 'labeled',
  issue: {
    url: 'https://api.github.com/repos/acme/shop/issues/7',
    html_url: 'https://github.com/acme/shop/issues/7',
    id: 444500041,
    number: 7,
    title: 'Sum is slow – ünïcode 😀',
    user: { login: 'eve', id: 2, type: 'User' },
    labels: [{ id: 1, name: 'workledger', color: 'd73a4a' }],
    state: 'open',
    body: 'Make it fast.\r\nPlease.',
  },
  label: { id: 1, name: 'workledger', color: 'd73a4a' },
  repository: { id: 3, name: 'shop', full_name: 'acme/shop', private: true },
  sender: { login: 'ada', id: 4, type: 'User' },
};

/** The same, as another event of another moment: no two deliveries of GitHub have one body. */
let moments = 0;
export const another = <Body extends object>(body: Body): Body & { moment: number } => ({
  ...body,
  moment: (moments += 1),
});

export type Sending = { event?: string; id?: string; secret?: string; headers?: Record<string, string> };

/** Signs and sends deliveries to a service, as GitHub does. @param service asked at each delivery: it starts after the tests are told */
export const senderTo =
  (service: () => Service) =>
  (payload: unknown, { event = 'issues', id = randomUUID(), secret = 'current secret', headers }: Sending = {}) => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const signature = `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
    return service().client.ask('POST', PATH, {
      text,
      headers: { 'X-GitHub-Event': event, 'X-GitHub-Delivery': id, 'X-Hub-Signature-256': signature, ...headers },
    });
  };
