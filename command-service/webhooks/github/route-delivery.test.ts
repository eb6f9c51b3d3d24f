import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { describe, expect, test } from 'vitest';
import type { IssuesPayload } from './payload.ts';
import { routeIssue, type RoutingRules } from './route-delivery.ts';

const rules: RoutingRules = {
  repositories: [{ name: 'shop', github: 'Acme/Shop', trusted: ['Ada'], capabilities: ['code', 'js'] }],
  rules: [
    { name: 'urgent', provider: 'github', label: 'workledger-now', priority: 1 },
    { name: 'label', provider: 'github', label: 'workledger', priority: 3 },
  ],
};

type Change = Omit<Partial<IssuesPayload>, 'issue'> & { issue?: Partial<IssuesPayload['issue']> };
const delivery = ({ issue, ...rest }: Change = {}): IssuesPayload => ({
  action: 'labeled',
  repository: { full_name: 'acme/shop' },
  sender: { login: 'ada' },
  label: { name: 'workledger' },
  ...rest,
  issue: {
    number: 12,
    title: 'Sum is slow',
    body: 'Make it fast.',
    state: 'open',
    html_url: 'https://github.com/acme/shop/issues/12',
    labels: [{ name: 'bug' }, { name: 'workledger' }],
    user: { login: 'eve' },
    ...issue,
  },
});

describe('a labeled issue', () => {
  test('becomes a task when a trusted person adds the label of a rule', () => {
    expect(routeIssue(delivery(), rules)).toEqual({
      rule: 'label',
      taskId: taskIdOfIssue('github', 'acme/shop', 12),
      intent: {
        kind: 'create-task',
        title: 'Sum is slow',
        description: 'Make it fast.',
        repository: 'shop',
        labels: ['bug', 'workledger'],
        priority: 3,
        capabilities: ['code', 'js'],
        source: { kind: 'github', reference: 'acme/shop#12', url: 'https://github.com/acme/shop/issues/12' },
        requester: 'eve',
      },
    });
  });

  test('takes the priority of the rule whose label was added', () => {
    expect(routeIssue(delivery({ label: { name: 'Workledger-Now' } }), rules)).toMatchObject({
      rule: 'urgent',
      intent: { priority: 1 },
    });
  });

  test.each<[string, Change, string]>([
    [
      'another label was added, though the issue has the right one',
      { label: { name: 'bug' } },
      'no rule for label bug',
    ],
    ['no label is named', { label: null }, 'no rule for label (none)'],
    ['the sender is not trusted', { sender: { login: 'mallory' } }, 'the sender is not trusted by repository shop'],
    [
      'a trusted person only wrote the issue',
      { sender: { login: 'eve' }, issue: { user: { login: 'ada' } } },
      'the sender is not trusted by repository shop',
    ],
    ['the issue is closed', { issue: { state: 'closed' } }, 'issue #12 is not open'],
    [
      'the repository is not registered',
      { repository: { full_name: 'acme/other' } },
      'repository acme/other is not registered',
    ],
    ['it was only opened', { action: 'opened' }, 'action opened starts no work'],
    ['the label was taken away', { action: 'unlabeled' }, 'action unlabeled starts no work'],
  ])('is ignored when %s', (_, change, reason) => {
    expect(routeIssue(delivery(change), rules)).toEqual({ reason });
  });

  test('is ignored when nobody is trusted, and by a repository without a name on GitHub', () => {
    const [shop] = rules.repositories;
    expect(routeIssue(delivery(), { ...rules, repositories: [{ ...shop!, trusted: [] }] })).toHaveProperty('reason');
    expect(routeIssue(delivery(), { ...rules, repositories: [{ ...shop!, github: null }] })).toHaveProperty('reason');
  });
});

describe('a closed issue', () => {
  test('cancels its task, whoever closed it', () => {
    const closed = delivery({ action: 'closed', sender: { login: 'mallory' }, issue: { state: 'closed' } });
    expect(routeIssue(closed, rules)).toEqual({
      rule: 'urgent',
      taskId: taskIdOfIssue('github', 'ACME/shop', 12),
      intent: { kind: 'cancel-task', reason: 'issue #12 was closed' },
    });
  });

  test('of an unknown repository is ignored', () => {
    const closed = delivery({ action: 'closed', repository: { full_name: 'a/b' } });
    expect(routeIssue(closed, rules)).toEqual({ reason: 'repository a/b is not registered' });
  });
});

describe('texts', () => {
  const intentOf = (issue: Partial<IssuesPayload['issue']>) => {
    const outcome = routeIssue(delivery({ issue }), rules);
    if ('intent' in outcome && outcome.intent.kind === 'create-task') return outcome.intent;
    throw new Error('not routed to a new task');
  };

  test('an issue without a body has an empty description, one without a title is called by its number', () => {
    expect(intentOf({ body: null, title: ' ' })).toMatchObject({ description: '', title: 'Issue #12' });
  });

  test('an overlong body is cut, never within a character, and says so', () => {
    const { description } = intentOf({ body: `x${'😀'.repeat(40_000)}` });
    expect(description.length).toBeLessThanOrEqual(65_536);
    expect(description).toMatch(/😀\n\n\[cut here: the issue is longer\]$/u);
    expect(description.isWellFormed()).toBe(true);
  });

  test('a body that just fits stays whole', () => {
    const body = 'y'.repeat(65_536);
    expect(intentOf({ body }).description).toBe(body);
  });

  test('more labels than a task may hold are left out', () => {
    const labels = Array.from({ length: 60 }, (_, index) => ({ name: `l${index}` }));
    expect(intentOf({ labels }).labels).toHaveLength(50);
  });
});
