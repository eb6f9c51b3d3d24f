import { newId } from '@workledger/shared/contexts/stream.ts';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { describe, expect, test } from 'vitest';
import { routeDelivery, withTaskInView } from './delivery.ts';
import type { Issue, RoutingRules, Signal } from './signal.ts';

const rules: RoutingRules = {
  repositories: [{ name: 'shop', github: 'Acme/Shop', trusted: ['Ada'], capabilities: ['code', 'js'] }],
  rules: [
    { name: 'urgent', provider: 'github', label: 'workledger-now', priority: 1 },
    { name: 'label', provider: 'github', label: 'workledger', priority: 3 },
  ],
};

type IssueSignal = Extract<Signal, { issue: Issue }>;
type Change = Omit<Partial<IssueSignal>, 'issue'> & { issue?: Partial<Issue> };
const delivery = ({ issue, ...rest }: Change = {}): Signal => ({
  action: 'labeled',
  repository: 'acme/shop',
  sender: 'ada',
  change: { kind: 'labeled', added: ['workledger'] },
  ...rest,
  issue: {
    id: '12',
    name: 'issue #12',
    reference: 'acme/shop#12',
    url: 'https://github.com/acme/shop/issues/12',
    title: 'Sum is slow',
    body: 'Make it fast.',
    labels: ['bug', 'workledger'],
    author: 'eve',
    isOpen: true,
    ...issue,
  },
});
const added = (...labels: string[]) => ({ change: { kind: 'labeled' as const, added: labels } });
const routeIssue = (signal: Signal, given: RoutingRules) => routeDelivery('github', signal, given);

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
    expect(routeIssue(delivery(added('Workledger-Now')), rules)).toMatchObject({
      rule: 'urgent',
      intent: { priority: 1 },
    });
  });

  test.each<[string, Change, string]>([
    ['another label was added, though the issue has the right one', added('bug'), 'no rule for label bug'],
    ['no label is named', added(), 'no rule for label (none)'],
    ['the sender is not trusted', { sender: 'mallory' }, 'the sender is not trusted by repository shop'],
    [
      'a trusted person only wrote the issue',
      { sender: 'eve', issue: { author: 'ada' } },
      'the sender is not trusted by repository shop',
    ],
    ['the issue is closed', { issue: { isOpen: false } }, 'issue #12 is not open'],
    ['the repository is not registered', { repository: 'acme/other' }, 'repository acme/other is not registered'],
    ['it was only opened', { action: 'opened', change: { kind: 'other' } }, 'action opened starts no work'],
  ])('is ignored when %s', (_, change, reason) => {
    expect(routeIssue(delivery(change), rules)).toEqual({ reason });
  });

  test('is ignored when nobody is trusted, and by a repository without a name on GitHub', () => {
    const [shop] = rules.repositories;
    expect(routeIssue(delivery(), { ...rules, repositories: [{ ...shop!, trusted: [] }] })).toHaveProperty('reason');
    expect(routeIssue(delivery(), { ...rules, repositories: [{ ...shop!, github: null }] })).toHaveProperty('reason');
  });
});

const closing = { action: 'closed', change: { kind: 'closed' }, issue: { isOpen: false } } as const;

describe('a closed issue', () => {
  test('cancels its task, whatever it is called', () => {
    const closed = delivery({ ...closing, sender: 'ADA' });
    expect(routeIssue(closed, rules)).toEqual({
      rule: 'urgent',
      taskId: taskIdOfIssue('github', 'ACME/shop', 12),
      intent: { kind: 'cancel-task', reason: 'issue #12 was closed' },
    });
  });

  test.each([
    [{ kind: 'deleted' } as const, 'issue #12 was deleted'],
    [{ kind: 'transferred' } as const, 'issue #12 was transferred'],
    [{ kind: 'unlabeled', removed: ['WorkLedger'] } as const, 'issue #12 lost the label workledger'],
  ])('and so does what was %j', (change, reason) => {
    expect(routeIssue(delivery({ change }), rules)).toMatchObject({ intent: { kind: 'cancel-task', reason } });
  });

  test('takes the same trust as starting, and only a label of a rule counts', () => {
    for (const change of [
      { kind: 'closed' },
      { kind: 'deleted' },
      { kind: 'unlabeled', removed: ['workledger'] },
    ] as const)
      for (const sender of ['mallory', 'eve', null])
        expect(routeIssue(delivery({ change, sender }), rules)).toEqual({
          reason: 'the sender is not trusted by repository shop',
        });
    const change = { kind: 'unlabeled', removed: ['bug'] } as const;
    expect(routeIssue(delivery({ change }), rules)).toEqual({ reason: 'no rule for label bug' });
  });

  test('a label that was taken away while its task was on its way still cancels', () => {
    const signal = delivery({ change: { kind: 'unlabeled', removed: ['workledger'] }, issue: { labels: [] } });
    const outcome = routeIssue(signal, rules);
    expect(withTaskInView(outcome, 'missing', 'github', signal, rules)).toBe(outcome);
    expect(withTaskInView(outcome, 'complete', 'github', signal, rules)).toMatchObject({
      reason: expect.stringContaining('is complete already'),
    });
  });

  test('of an unknown repository is ignored', () => {
    const closed = delivery({ ...closing, repository: 'a/b' });
    expect(routeIssue(closed, rules)).toEqual({ reason: 'repository a/b is not registered' });
  });
});

describe('texts', () => {
  const intentOf = (issue: Partial<Issue>) => {
    const outcome = routeIssue(delivery({ issue }), rules);
    if ('intent' in outcome && outcome.intent.kind === 'create-task') return outcome.intent;
    throw new Error('not routed to a new task');
  };

  test('an issue without a body has an empty description, one without a title is called by its number', () => {
    expect(intentOf({ body: '', title: ' ' })).toMatchObject({ description: '', title: 'Issue #12' });
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
    const labels = Array.from({ length: 60 }, (_, index) => `l${index}`);
    expect(intentOf({ labels }).labels).toHaveLength(50);
  });
});

describe('once it is known how the task stands', () => {
  const taskId = taskIdOfIssue('github', 'acme/shop', 12);
  const inView = (status: Parameters<typeof withTaskInView>[1], signal: Signal) => {
    const outcome = routeIssue(signal, rules);
    const seen = withTaskInView(outcome, status, 'github', signal, rules);
    return seen === outcome ? 'as the rules have it' : seen;
  };
  const unlabeled = { ...closing, issue: { ...closing.issue, labels: ['bug'] } };
  const ended = (status: string) =>
    `issue #12 has the ${status} task ${taskId}: start it again by POST /api/v1/tasks/${taskId}/retry`;

  test.each([
    ['a label, and no task', 'missing', {}, null],
    ['a label, and a task that waits', 'pending', {}, `issue #12 has the task ${taskId} already; it is pending`],
    ['a label, and a task that is done', 'complete', {}, `issue #12 has the task ${taskId} already; it is complete`],
    ['a label, and a task that failed', 'failed', {}, ended('failed')],
    ['a label, and a task that was cancelled', 'cancelled', {}, ended('cancelled')],
    ['closed, and no task', 'missing', unlabeled, 'issue #12 has no task'],
    ['closed, and no task yet, but the label that asks for one', 'missing', closing, null],
    ['closed, and a task', 'in-progress', unlabeled, null],
    ['what no rule asks for', 'pending', { sender: 'mallory' }, null],
  ] as const)('%s', (_, status, change, reason) => {
    expect(inView(status, delivery(change))).toEqual(reason === null ? 'as the rules have it' : { reason });
  });
});

describe('another provider', () => {
  const both: RoutingRules = {
    repositories: [
      { name: 'web', github: 'acme/shop', trusted: ['ada'], capabilities: ['code'] },
      { name: 'shop', linear: 'acme/shop', trusted: ['linear:ada'], capabilities: ['code'] },
    ],
    rules: [...rules.rules, { name: 'linear', provider: 'linear', label: 'workledger', priority: 2 }],
  };

  test('has repositories, rules and tasks of its own', () => {
    expect(routeDelivery('linear', delivery({ issue: { id: 'ENG-7' } }), both)).toMatchObject({
      rule: 'linear',
      taskId: taskIdOfIssue('linear', 'acme/shop', 'ENG-7'),
      intent: { repository: 'shop', priority: 2, source: { kind: 'linear' } },
    });
    expect(routeDelivery('linear', delivery(added('workledger-now')), both)).toHaveProperty('reason');
    expect(routeDelivery('linear', delivery(closing), { ...both, rules: rules.rules })).toEqual({
      reason: 'no rule for linear',
    });
    expect(routeDelivery('slack', delivery(), both)).toHaveProperty('reason');
  });

  test('may add several labels at once', () => {
    expect(routeDelivery('linear', delivery(added('bug', 'Workledger')), both)).toHaveProperty('rule', 'linear');
    expect(routeDelivery('linear', delivery(added('bug', 'slow')), both)).toEqual({
      reason: 'no rule for label bug, slow',
    });
  });

  test('may know neither a repository nor a sender', () => {
    expect(routeDelivery('linear', delivery({ sender: null }), both)).toHaveProperty('reason');
    expect(routeDelivery('linear', delivery({ repository: null }), both)).toEqual({
      reason: 'repository (none) is not registered',
    });
  });
});

describe('a pull request', () => {
  const taskId = newId();
  const told = (branch: string): Signal => ({
    ...{ action: 'closed', repository: 'acme/shop', sender: 'mallory', pull: { number: 7, branch } },
  });
  test('of a task is told to it, whoever did something to it, while it waits', () => {
    const outcome = routeIssue(told(`workledger/${taskId}`), rules);
    expect(outcome).toEqual({ taskId, pullRequest: 7 });
    const inView = (status: 'validation' | 'complete') =>
      withTaskInView(outcome, status, 'github', told(`workledger/${taskId}`), rules);
    expect(inView('validation')).toBe(outcome);
    expect(inView('complete')).toEqual({ reason: `task ${taskId} waits for no pull request` });
  });
  test.each(['feature/x', 'workledger/x', `workledger/${taskId}/x`])('of branch %s is of no task', (branch) => {
    expect(routeIssue(told(branch), rules)).toEqual({ reason: 'pull request #7 is of no task' });
  });
});

describe('that what the app is installed for may be something else', () => {
  const told = { action: 'added', repository: null, sender: 'ada' } as const;
  const signal: Signal = { ...told, reason: 'event installation_repositories starts no work', installation: true };

  test('has it looked at, where its repositories are taken', () =>
    expect(routeIssue(signal, { ...rules, installed: {} })).toEqual({
      reason: 'it starts no work: the repositories that the app is installed for are looked at',
      installation: true,
    }));
  test('is ignored, where none are', () => {
    const { reason } = signal as { reason: string };
    expect(routeIssue(signal, rules)).toEqual({ reason });
    expect(routeIssue(signal, { ...rules, installed: null })).toEqual({ reason });
  });
});
