import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { isTrusted } from '@workledger/shared/contexts/sync/delivery/trusted.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { routeDelivery, withTaskInView } from './delivery.ts';
import { type Ask, type Issue, located, type RoutingRules, type Signal } from './signal.ts';

const rules: RoutingRules = {
  repositories: [
    {
      name: 'shop',
      linear: 'ENG',
      slack: 'C1',
      trusted: ['linear:Ada@acme.example', 'slack:U1', 'T2/U2'],
      capabilities: [],
    },
    { name: 'search', linear: 'ENG/Search', trusted: ['linear:ada@acme.example'], capabilities: [] },
  ],
  rules: [
    { name: 'ops label', provider: 'linear', label: 'workledger', team: 'OPS', priority: 1 },
    { name: 'label', provider: 'linear', label: 'workledger', priority: 2 },
    { name: 'assigned', provider: 'linear', assignee: 'robot@acme.example', priority: 3 },
    { name: 'mentioned', provider: 'linear', mention: 'workledger', priority: 3 },
    { name: 'app', provider: 'slack', mention: true, priority: 3 },
    { name: 'emoji', provider: 'slack', reaction: 'robot_face', priority: 4 },
    { name: 'command', provider: 'slack', command: '/workledger', priority: 5 },
    { name: 'prefix', provider: 'slack', message: 'Work:', priority: 3 },
  ],
};

type IssueSignal = Extract<Signal, { issue: Issue }>;
const signal = (change: IssueSignal['change'], issue: Partial<Issue> = {}): IssueSignal => ({
  ...{ action: 'update', repository: 'ENG', sender: 'ada@acme.example', change },
  issue: {
    ...{ id: 'i1', name: 'issue ENG-7', reference: 'ENG-7', url: null, title: 'Sum', body: 'is slow', author: null },
    ...{ labels: [], assignees: [], isOpen: true, ...issue },
  },
});
const changed = (asked: readonly Ask[], takenBack: readonly Ask[] = []) =>
  ({ kind: 'changed', asked, takenBack }) as const;

describe('a rule', () => {
  test.each<[Ask['by'], string, string]>([
    ['label', 'WorkLedger', 'label'],
    ['assignee', 'Robot@acme.example', 'assigned'],
    ['mention', 'workledger', 'mentioned'],
  ])('of Linear takes the %s %s', (by, what, rule) => {
    const taskId = taskIdOfIssue('linear', 'eng', 'i1');
    const given = signal(changed([{ by, what }]));
    expect(routeDelivery('linear', given, rules)).toMatchObject({ rule, taskId, intent: { kind: 'create-task' } });
  });

  test.each<[Ask, string]>([
    [{ by: 'mention', what: null }, 'app'],
    [{ by: 'reaction', what: 'robot_face' }, 'emoji'],
    [{ by: 'command', what: '/workledger' }, 'command'],
    [{ by: 'message', what: 'work: make it fast' }, 'prefix'],
  ])('of Slack takes %j', (ask, rule) => {
    const given = { ...signal(changed([ask])), repository: 'C1', sender: 'U1' };
    expect(routeDelivery('slack', given, rules)).toMatchObject({ rule, intent: { source: { kind: 'slack' } } });
  });

  test('takes nothing else, and its reason tells neither words nor people', () => {
    const reasonOf = (...asks: Ask[]) => routeDelivery('linear', signal(changed(asks)), rules);
    expect(reasonOf({ by: 'label', what: 'bug' })).toEqual({ reason: 'no rule for label bug' });
    expect(reasonOf({ by: 'assignee', what: 'eve@acme.example' }, { by: 'assignee', what: 'Eve' })).toEqual({
      reason: 'no rule for this assignee',
    });
    expect(reasonOf({ by: 'message', what: 'my password is x' })).toEqual({ reason: 'no rule for this message' });
  });

  test('of a team is for that team, and its projects', () => {
    const ops = { ...rules, repositories: [{ ...rules.repositories[0]!, linear: 'OPS/Boxes' }] };
    const given = { ...signal(changed([{ by: 'label', what: 'workledger' }])), repository: 'OPS/Boxes' };
    expect(routeDelivery('linear', given, ops)).toMatchObject({ rule: 'ops label', intent: { priority: 1 } });
  });

  test('starts nothing for somebody who is not trusted, nor on what is closed', () => {
    const given = signal(changed([{ by: 'label', what: 'workledger' }]));
    expect(routeDelivery('linear', { ...given, sender: 'eve@acme.example' }, rules)).toEqual({
      reason: 'the sender is not trusted by repository shop',
    });
    expect(routeDelivery('linear', signal(given.change, { isOpen: false }), rules)).toEqual({
      reason: 'issue ENG-7 is not open',
    });
  });
});

describe('what was asked for is taken back', () => {
  const lost = (by: 'label' | 'assignee', issue: Partial<Issue> = {}) =>
    signal(changed([], [{ by, what: null }]), issue);

  test('by the rule that asked, where it is not told what was lost', () => {
    expect(routeDelivery('linear', lost('label'), rules, ['label'])).toMatchObject({
      rule: 'label',
      intent: { kind: 'cancel-task', reason: 'issue ENG-7 lost the label workledger' },
    });
    expect(routeDelivery('linear', lost('assignee'), rules, ['assigned'])).toMatchObject({
      intent: { kind: 'cancel-task', reason: 'issue ENG-7 lost the assignee of a rule' },
    });
  });

  test('by any of several rules that asked', () => {
    for (const by of ['label', 'assignee'] as const)
      expect(routeDelivery('linear', lost(by), rules, ['label', 'assigned'])).toMatchObject({
        intent: { kind: 'cancel-task' },
      });
  });

  test('not where another rule asked, nobody knows which, or the issue still has it', () => {
    for (const askedBy of [['mentioned'], ['assigned'], []])
      expect(routeDelivery('linear', lost('label'), rules, askedBy)).toEqual({ reason: 'no rule for this label' });
    expect(routeDelivery('linear', lost('label', { labels: ['workledger'] }), rules, ['label'])).toHaveProperty(
      'reason',
    );
  });

  test('by an emoji that went, also while its task is on its way', () => {
    const change = changed([], [{ by: 'reaction', what: 'robot_face' }]);
    const given = { ...signal(change), repository: 'C1', sender: 'U1' };
    const outcome = routeDelivery('slack', given, rules);
    expect(outcome).toMatchObject({
      intent: { kind: 'cancel-task', reason: 'issue ENG-7 lost the reaction robot_face' },
    });
    expect(withTaskInView(outcome, 'missing', 'slack', given, rules)).toBe(outcome);
  });

  test('and what asks at the same time goes first', () => {
    const change = changed([{ by: 'assignee', what: 'robot@acme.example' }], [{ by: 'label', what: null }]);
    expect(routeDelivery('linear', signal(change), rules, ['label'])).toMatchObject({
      intent: { kind: 'create-task' },
    });
  });
});

describe('a place', () => {
  const at = (places: readonly string[], partIsUnknown = false): Signal =>
    located('linear', { ...signal({ kind: 'other' }), places, partIsUnknown }, rules);

  test('is the nearest that is registered', () => {
    expect(at(['ENG/p1', 'eng/search', 'ENG'])).toMatchObject({ repository: 'eng/search' });
    expect(at(['ENG/p2', 'ENG/Billing', 'ENG'])).toMatchObject({ repository: 'ENG' });
    expect(at(['OPS'])).toMatchObject({ repository: 'ENG' });
  });

  test('of which some parts are registered apart must say which it is', () => {
    expect(at(['ENG'], true)).toMatchObject({ reason: expect.stringContaining('which part of ENG') });
    expect(at(['ENG'])).toHaveProperty('issue');
  });
});

describe('trust', () => {
  test('at one provider is none at another', () => {
    const trusted = ['ada', 'github:grace', 'slack:U1', 'linear:ada@acme.example'];
    expect(isTrusted('github', trusted, 'Ada')).toBe(true);
    expect(isTrusted('github', trusted, 'grace')).toBe(true);
    expect(isTrusted('slack', trusted, 'u1')).toBe(true);
    for (const [provider, sender] of [
      ['github', 'U1'],
      ['slack', 'ada'],
      ['linear', 'ada'],
      ['slack', 'T2/U1'],
      ['github', null],
    ] as const)
      expect(isTrusted(provider, trusted, sender)).toBe(false);
  });

  test('may be written by any name of the sender', () => {
    const given = signal(changed([{ by: 'label', what: 'workledger' }]));
    const byId = { ...given, sender: 'grace@acme.example', senderNames: ['u7'] };
    expect(routeDelivery('linear', byId, rules)).toHaveProperty('reason');
    const [shop, ...others] = rules.repositories;
    const repositories = [{ ...shop!, trusted: ['linear:U7'] }, ...others];
    expect(routeDelivery('linear', byId, { ...rules, repositories })).toHaveProperty('rule', 'label');
  });
});

const name = fc.constantFrom('workledger', 'bug', 'robot@acme.example', 'robot_face', '/workledger', 'ENG', 'x');
const ask: fc.Arbitrary<Ask> = fc.record({
  by: fc.constantFrom('label', 'assignee', 'mention', 'reaction', 'command', 'message'),
  what: fc.option(name),
});

test('whatever is asked, by whomever: only who is trusted starts or ends work, and only what a rule names', () => {
  const given = fc.record({
    asked: fc.array(ask, { maxLength: 3 }),
    takenBack: fc.array(ask, { maxLength: 3 }),
    sender: fc.constantFrom('ada@acme.example', 'eve@acme.example', 'U1', null),
    provider: fc.constantFrom('linear', 'slack', 'github'),
    labels: fc.array(name, { maxLength: 3 }),
    askedBy: fc.uniqueArray(fc.constantFrom('label', 'assigned', 'emoji')),
    isOpen: fc.boolean(),
  });
  fc.assert(
    fc.property(given, ({ asked, takenBack, sender, provider, labels, askedBy, isOpen }) => {
      const repository = provider === 'slack' ? 'C1' : 'ENG';
      const told = { ...signal(changed(asked, takenBack), { labels, isOpen }), repository, sender };
      const outcome = routeDelivery(provider, told, rules, askedBy);
      if (!('intent' in outcome)) return;
      const trusted = provider === 'slack' ? sender === 'U1' : provider === 'linear' && sender === 'ada@acme.example';
      expect(trusted).toBe(true);
      expect(rules.rules.find((rule) => rule.name === outcome.rule)?.provider).toBe(provider);
      expect(outcome.taskId).toBe(taskIdOfIssue(provider, repository, 'i1'));
      if (outcome.intent.kind === 'create-task') expect([isOpen, asked.length > 0]).toEqual([true, true]);
      else expect(takenBack.length).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});
