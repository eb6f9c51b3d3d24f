import { createHmac, randomUUID } from 'node:crypto';

export type DemoIssue = { readonly number: number; readonly title: string; readonly body: string };

export type Delivery = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/**
 * An `issues` delivery, action `labeled`, in GitHub's own shape, signed as GitHub signs.
 * Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues
 */
export function labeledIssueDelivery(fullName: string, issue: DemoIssue, sender: string, secret: string): Delivery {
  const body = JSON.stringify(labeledIssue(fullName, issue, sender));
  return {
    body,
    headers: {
      'Content-Type': 'application/json',
      'User-Agent': 'GitHub-Hookshot/044aadd',
      Accept: '*/*',
      'X-GitHub-Delivery': randomUUID(),
      'X-GitHub-Event': 'issues',
      'X-GitHub-Hook-ID': '292430182',
      'X-GitHub-Hook-Installation-Target-ID': '79929171',
      'X-GitHub-Hook-Installation-Target-Type': 'repository',
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
  };
}

function labeledIssue(fullName: string, { number, title, body }: DemoIssue, sender: string): unknown {
  const [owner = '', name = ''] = fullName.split('/');
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const api = `https://api.github.com/repos/${fullName}`;
  const html = `https://github.com/${fullName}`;
  const label = {
    id: 1362934389,
    node_id: 'MDU6TGFiZWwxMzYyOTM0Mzg5',
    url: `${api}/labels/workledger`,
    name: 'workledger',
    color: '0e8a16',
    default: false,
    description: 'Let an agent work on it',
  };
  return {
    action: 'labeled',
    issue: {
      url: `${api}/issues/${number}`,
      repository_url: api,
      labels_url: `${api}/issues/${number}/labels{/name}`,
      comments_url: `${api}/issues/${number}/comments`,
      events_url: `${api}/issues/${number}/events`,
      html_url: `${html}/issues/${number}`,
      id: 444500041 + number,
      node_id: 'MDU6SXNzdWU0NDQ1MDAwNDE=',
      number,
      title,
      user: account(sender),
      labels: [label],
      state: 'open',
      locked: false,
      assignee: null,
      assignees: [],
      milestone: null,
      comments: 0,
      created_at: now,
      updated_at: now,
      closed_at: null,
      author_association: 'OWNER',
      active_lock_reason: null,
      body,
      reactions: { url: `${api}/issues/${number}/reactions`, total_count: 0 },
      timeline_url: `${api}/issues/${number}/timeline`,
      performed_via_github_app: null,
      state_reason: null,
    },
    label,
    repository: {
      id: 186853002,
      node_id: 'MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=',
      name,
      full_name: fullName,
      private: false,
      owner: account(owner),
      html_url: html,
      description: null,
      fork: false,
      url: api,
      created_at: '2019-05-15T15:19:25Z',
      updated_at: now,
      pushed_at: now,
      git_url: `git://github.com/${fullName}.git`,
      ssh_url: `git@github.com:${fullName}.git`,
      clone_url: `${html}.git`,
      default_branch: 'main',
      open_issues_count: 1,
      visibility: 'public',
    },
    sender: account(sender),
  };
}

const account = (login: string): unknown => ({
  login,
  id: 21031067,
  node_id: 'MDQ6VXNlcjIxMDMxMDY3',
  avatar_url: 'https://avatars.githubusercontent.com/u/21031067?v=4',
  url: `https://api.github.com/users/${login}`,
  html_url: `https://github.com/${login}`,
  type: 'User',
  site_admin: false,
});
