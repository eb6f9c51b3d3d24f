import { createHmac, randomUUID } from 'node:crypto';

export type IssueChange = {
  readonly action: 'labeled' | 'closed';
  /** owner/name, as GitHub knows it. */
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly sender: string;
};

/** Posts an `issues` delivery as GitHub does, signed. @returns the receipt @throws Error when it is refused */
export async function deliverIssue(
  url: string,
  secret: string,
  { action, repository, number, title, sender }: IssueChange,
): Promise<{ readonly taskId: string | null; readonly reason: string | null }> {
  const label = { name: 'workledger' };
  const html_url = `https://github.com/${repository}/issues/${number}`;
  const state = action === 'closed' ? 'closed' : 'open';
  const body = JSON.stringify({
    action,
    issue: { number, title, body: null, html_url, state, user: { login: sender }, labels: [label] },
    ...(action === 'labeled' ? { label } : {}),
    repository: { full_name: repository },
    sender: { login: sender },
  });
  const response = await fetch(`${url}/api/v1/webhooks/github`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-GitHub-Delivery': randomUUID(),
      'X-GitHub-Event': 'issues',
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
    body,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`webhook: ${response.status} ${text}`);
  return JSON.parse(text) as { taskId: string | null; reason: string | null };
}
