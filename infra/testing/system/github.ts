import { createHmac, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, Client } from '@workledger/shared/client/client.ts';
import type { Settings } from './engine.ts';
import { temporaryFolder } from '../processes/folder.ts';
import { labeledIssueDelivery, type Delivery } from '../../local/demo/github-delivery.ts';

export type { Delivery };

export const SECRET = 'a secret that only GitHub and Workledger know';
export const REPOSITORY = 'acme/sample';
export const SENDER = 'ada';

export type GithubSide = { readonly settings: Pick<Settings, 'webhooks'>; dispose(): Promise<void> };

/** What a system needs to take deliveries: the secret, in a file of a new folder. */
export async function createGithubSide(): Promise<GithubSide> {
  const folder = await temporaryFolder('secret');
  const file = join(folder, 'webhook-secret');
  await writeFile(file, SECRET, { mode: 0o600 });
  return {
    settings: { webhooks: { github: { secrets: [{ file }] } } },
    dispose: () => rm(folder, { recursive: true }),
  };
}

/** A number that no other test's issues have: an issue's task is the same one for whoever shares the log. */
export const newIssueNumber = (): number => 1 + Math.floor(Math.random() * 1_000_000) * 1_000;

/** An issue that got the label, as GitHub sends it, signed. */
export const labeledIssue = (number: number, title = 'Make it fast'): Delivery =>
  labeledIssueDelivery(REPOSITORY, { number, title, body: 'please' }, SENDER, SECRET);

/** The same issue, closed, as a delivery of its own; its label stays. */
export const closedIssue = ({ body }: Delivery): Delivery => {
  const { issue, label: _label, ...rest } = JSON.parse(body) as { issue: object; label: object };
  return signed(JSON.stringify({ ...rest, action: 'closed', issue: { ...issue, state: 'closed' } }));
};

/** Any body, signed. */
export const signed = (body: string, event = 'issues'): Delivery => ({
  body,
  headers: {
    'Content-Type': 'application/json',
    'X-GitHub-Delivery': randomUUID(),
    'X-GitHub-Event': event,
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  },
});

export const deliver = (client: Client, { body, headers }: Delivery): Promise<Answer> =>
  client.send('POST', '/webhooks/github', { body, headers, key: null });
