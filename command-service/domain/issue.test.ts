import { given } from '@workledger/shared/aggregate/testing.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import { describe, it } from 'vitest';
import { issue, type IssueDecisions } from './issue.ts';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const [ann, bob, taskId, otherTaskId] = [id(1), id(2), id(10), id(11)];
const agent = (agentId: string): string => `agent:${agentId}`;
const operator = 'user:0190a000-0000-7000-8000-0000000000cc';

const words = {
  ...{ title: 'It is slow', description: 'very', labels: ['speed'], capabilities: ['code'] },
  priority: 'high' as const,
};
const creation: IssueDecisions['issue.create'] = { ...words, repository: 'sample' };
const reported: IssueEvent = { type: 'IssueReported', data: { ...creation, reporter: operator } };
const requested: IssueEvent = { type: 'IssueAssignmentRequested', data: { round: 1, acceptWithinSeconds: 60 } };
const offer = (number: number, agentId: string) => ({ round: 1, number, agentId });
const offered = (number: number, agentId: string): IssueEvent => ({
  type: 'IssueOffered',
  data: { ...offer(number, agentId), acceptWithinSeconds: 60 },
});
type Ended = Extract<IssueEvent, { type: 'IssueOfferEnded' }>;
const ended = (number: number, agentId: string, outcome: Ended['data']['outcome'], reason: string | null = null) =>
  ({ type: 'IssueOfferEnded', data: { ...offer(number, agentId), outcome, reason } }) satisfies IssueEvent;
type RoundEnded = Extract<IssueEvent, { type: 'IssueAssignmentEnded' }>;
const roundEnded = (outcome: RoundEnded['data']['outcome']): RoundEnded => ({
  type: 'IssueAssignmentEnded',
  data: { round: 1, outcome },
});
const assigned = (assignee: string): IssueEvent => ({ type: 'IssueAssigned', data: { assignee } });
const unassigned = (assignee: string, reason: string): IssueEvent => ({
  type: 'IssueUnassigned',
  data: { assignee, reason },
});
const started: IssueEvent = { type: 'IssueStarted', data: { taskId: null } };
const resolution = { taskId: null, by: agent(ann), resolution: 'mended' };
const resolved: IssueEvent = { type: 'IssueResolved', data: resolution };
const closed: IssueEvent = { type: 'IssueClosed', data: { reason: 'done' } };
const reopened: IssueEvent = { type: 'IssueReopened', data: { reason: 'again' } };
const turned: IssueEvent = { type: 'IssueTurnedIntoTask', data: { taskId } };
const taskStarted: IssueEvent = { type: 'IssueStarted', data: { taskId } };
const taskFailed: IssueEvent = { type: 'IssueTaskEnded', data: { taskId, outcome: 'failed', reason: 'red' } };

const states = {
  missing: [],
  open: [reported],
  asking: [reported, requested],
  offered: [reported, requested, offered(1, ann)],
  assigned: [reported, assigned(agent(ann))],
  working: [reported, assigned(agent(ann)), started],
  resolved: [reported, assigned(agent(ann)), started, resolved],
  closed: [reported, closed],
  task: [reported, turned],
} satisfies Record<string, readonly IssueEvent[]>;
type Name = keyof typeof states;

type Expectation = {
  readonly data: unknown;
  readonly actor?: string;
  /** What is decided, by state; elsewhere: refused. */
  readonly decided: Partial<Record<Name, readonly IssueEvent[]>>;
};
const withdrawn = (reason: string) => [ended(1, ann, 'withdrawn', reason), roundEnded('withdrawn')];
const byHand = [roundEnded('withdrawn')];
const changed: IssueEvent = { type: 'IssueDetailsChanged', data: { priority: 'low' } };
const nothing = { open: [], assigned: [], working: [], resolved: [], closed: [], task: [] };
const ends: Expectation['decided'] = {
  ...{ open: [closed], asking: [...byHand, closed], offered: [...withdrawn('it was closed'), closed] },
  ...{ assigned: [closed], working: [closed], resolved: [closed], closed: [], task: [closed] },
};

const table: Record<keyof IssueDecisions, Expectation> = {
  'issue.create': { data: creation, decided: { missing: [reported] } },
  'issue.change': {
    data: { priority: 'low' },
    decided: {
      ...{ open: [changed], asking: [changed], offered: [changed], assigned: [changed] },
      ...{ working: [changed], resolved: [changed], task: [changed] },
    },
  },
  'issue.update': { data: { status: 'closed', resolution: null, reason: 'done' }, decided: ends },
  'issue.assign': {
    data: { assignee: agent(bob) },
    decided: {
      open: [assigned(agent(bob))],
      asking: [...byHand, assigned(agent(bob))],
      offered: [...withdrawn('it was assigned'), assigned(agent(bob))],
      assigned: [assigned(agent(bob))],
      working: [assigned(agent(bob))],
      task: [assigned(agent(bob))],
    },
  },
  'issue.ask': {
    data: { acceptWithinSeconds: 60 },
    decided: { open: [requested], asking: [], offered: [], task: [requested] },
  },
  'issue.unassign': {
    data: { reason: 'busy' },
    decided: {
      ...{ open: [], asking: byHand, offered: withdrawn('busy'), task: [] },
      assigned: [unassigned(agent(ann), 'busy')],
      working: [unassigned(agent(ann), 'busy')],
    },
  },
  'issue.offer': {
    data: offer(1, bob),
    decided: { ...nothing, missing: [], asking: [offered(1, bob)], offered: [] },
  },
  'issue.end-round': {
    data: { round: 1, number: 1 },
    decided: { ...nothing, missing: [], asking: [roundEnded('nobody-can')], offered: [] },
  },
  'issue.accept': {
    data: {},
    actor: agent(ann),
    decided: { offered: [ended(1, ann, 'accepted'), roundEnded('accepted'), assigned(agent(ann))] },
  },
  'issue.decline': {
    data: { reason: 'no time' },
    actor: agent(ann),
    decided: { offered: [ended(1, ann, 'declined', 'no time')] },
  },
  'issue.expire-offer': {
    data: { round: 1, number: 1 },
    decided: { ...nothing, missing: [], asking: [], offered: [ended(1, ann, 'expired')] },
  },
  'issue.leave': {
    data: { agentId: ann },
    decided: {
      ...{ ...nothing, missing: [], asking: [] },
      offered: [ended(1, ann, 'left', 'its agent was deregistered')],
      assigned: [unassigned(agent(ann), 'its agent was deregistered')],
      working: [unassigned(agent(ann), 'its agent was deregistered')],
    },
  },
  'issue.start': {
    data: {},
    decided: {
      ...{ open: [started], asking: [...byHand, started], offered: [...withdrawn('it was started'), started] },
      ...{ assigned: [started], task: [started] },
    },
  },
  'issue.resolve': { data: { resolution: 'mended' }, actor: agent(ann), decided: { working: [resolved] } },
  'issue.close': { data: { reason: 'done' }, decided: ends },
  'issue.reopen': { data: { reason: 'again' }, decided: { resolved: [reopened], closed: [reopened] } },
  'issue.turn-into-task': {
    data: { taskId, ended: false },
    decided: {
      ...{ open: [turned], asking: [...byHand, turned], assigned: [turned], working: [turned] },
      offered: [...withdrawn('it was turned into a task'), turned],
    },
  },
  'issue.follow-task': {
    data: { taskId, became: 'started', reason: null },
    decided: { ...nothing, asking: [], offered: [], task: [taskStarted] },
  },
};

describe('an issue, in every state', () => {
  for (const [type, { data, actor = operator, decided }] of Object.entries(table))
    it.each(Object.keys(states) as Name[])(`${type}: %s`, (name) => {
      const outcome = given(issue, ...states[name]).when(type as 'issue.close', data as never, { actor });
      const events = decided[name];
      if (events !== undefined) outcome.then(...events);
      else
        outcome.thenRefused(
          type === 'issue.create' ? 'already-exists' : name === 'missing' ? 'not-found' : 'illegal-transition',
        );
    });
});

describe('who does what', () => {
  const bobs = { actor: agent(bob) };
  it('an agent starts and resolves what is assigned to it, and nothing else', () => {
    given(issue, ...states.assigned)
      .when('issue.start', {}, { actor: agent(ann) })
      .then(started);
    given(issue, ...states.assigned)
      .when('issue.start', {}, bobs)
      .thenRefused('forbidden');
    given(issue, ...states.open)
      .when('issue.start', {}, bobs)
      .thenRefused('forbidden');
    given(issue, ...states.working)
      .when('issue.resolve', { resolution: null }, bobs)
      .thenRefused('forbidden');
  });
  it('an agent answers its own offer, and an operator for whoever is asked', () => {
    given(issue, ...states.offered)
      .when('issue.accept', {}, bobs)
      .thenRefused('forbidden');
    given(issue, ...states.offered)
      .when('issue.decline', { reason: null }, bobs)
      .thenRefused('forbidden');
    given(issue, ...states.offered)
      .when('issue.accept', {}, { actor: operator })
      .then(ended(1, ann, 'accepted'), roundEnded('accepted'), assigned(agent(ann)));
  });
});

describe('a round of asking', () => {
  const declined = [...states.offered, ended(1, ann, 'declined')];
  it('asks nobody twice, and nobody out of turn', () => {
    given(issue, ...declined)
      .when('issue.offer', offer(2, ann))
      .then();
    given(issue, ...declined)
      .when('issue.offer', offer(3, bob))
      .then();
    given(issue, ...declined)
      .when('issue.offer', offer(2, bob))
      .then(offered(2, bob));
  });
  it('ends where nobody is left, and says whether anybody was asked', () => {
    given(issue, ...declined)
      .when('issue.end-round', { round: 1, number: 2 })
      .then(roundEnded('nobody-accepted'));
    given(issue, ...declined)
      .when('issue.end-round', { round: 1, number: 1 })
      .then();
  });
  it('is followed by another, which may ask the same ones', () => {
    const second: IssueEvent = { type: 'IssueAssignmentRequested', data: { round: 2, acceptWithinSeconds: 5 } };
    const before = [...declined, roundEnded('nobody-accepted')];
    given(issue, ...before)
      .when('issue.ask', { acceptWithinSeconds: 5 })
      .then(second);
    given(issue, ...before, second)
      .when('issue.offer', { round: 2, number: 1, agentId: ann })
      .then({ type: 'IssueOffered', data: { round: 2, number: 1, agentId: ann, acceptWithinSeconds: 5 } });
    given(issue, ...before, second)
      .when('issue.offer', offer(1, ann))
      .then();
  });
  it('that a deadline comes too late for is not touched by it', () =>
    given(issue, ...declined, offered(2, bob))
      .when('issue.expire-offer', { round: 1, number: 1 })
      .then());
  it('is not begun for an issue that somebody has', () =>
    given(issue, ...states.assigned)
      .when('issue.ask', { acceptWithinSeconds: 60 })
      .thenRefused('illegal-transition', { assignee: agent(ann) }));
});

describe('an issue that is a task', () => {
  const follow = (became: 'started' | 'complete' | 'failed' | 'cancelled', reason: string | null = null) =>
    ({ taskId, became, reason }) as const;
  const going = [...states.task, taskStarted];
  const done: IssueEvent = { type: 'IssueResolved', data: { taskId, by: 'system', resolution: null } };
  it.each([
    ['is resolved with it', going, [done]],
    ['is resolved with it, though it was not started', states.task, [done]],
    ['is resolved once', [...going, done], []],
  ] as const)('%s', (_, before, events) =>
    given(issue, ...before)
      .when('issue.follow-task', follow('complete'))
      .then(...events),
  );
  it('is open again when it fails or is cancelled, and says why', () => {
    for (const [before, follows, ...events] of [
      [going, follow('failed', 'red'), taskFailed],
      [going, follow('cancelled'), { ...taskFailed, data: { taskId, outcome: 'cancelled', reason: 'cancelled' } }],
      [[...going, taskFailed], follow('failed', 'red')],
      [[...going, taskFailed], follow('started'), taskStarted],
    ] as const)
      given(issue, ...before)
        .when('issue.follow-task', follows)
        .then(...events);
  });
  it.each([
    ['started', 'its task was started', taskStarted],
    ['complete', 'its task is complete', done],
  ] as const)('is offered to nobody any more once the task is %s', (became, reason, event) =>
    given(issue, ...states.task, requested, offered(1, ann))
      .when('issue.follow-task', follow(became))
      .then(ended(1, ann, 'withdrawn', reason), roundEnded('withdrawn'), event),
  );
  it('becomes no second one before the first has ended', () => {
    const again: IssueEvent = { type: 'IssueTurnedIntoTask', data: { taskId: otherTaskId } };
    const turn = { taskId: otherTaskId, ended: false };
    given(issue, ...going)
      .when('issue.turn-into-task', turn)
      .thenRefused('illegal-transition', { taskId });
    given(issue, ...going, taskFailed)
      .when('issue.turn-into-task', turn)
      .then(again);
    given(issue, ...going)
      .when('issue.turn-into-task', { ...turn, ended: true })
      .then(again);
    given(issue, ...going, taskFailed, again)
      .when('issue.follow-task', follow('complete'))
      .then();
  });
  it('that a person closed stays closed', () =>
    given(issue, ...going, closed)
      .when('issue.follow-task', follow('complete'))
      .then());
});
