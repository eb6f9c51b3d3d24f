import { given } from '@workledger/shared/aggregate/testing.ts';
import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import { describe, expect, it } from 'vitest';
import { agentStatus } from '@workledger/shared/contexts/agent/agent/state.ts';
import { agent, type AgentDecisions } from './agent.ts';

const claim = '0190a000-0000-7000-8000-00000000000a';
const otherClaim = '0190a000-0000-7000-8000-00000000000b';
const taskId = '0190a000-0000-7000-8000-0000000000f1';

const registration: AgentDecisions['agent.register'] = {
  name: 'claude',
  kind: 'worker',
  runtime: 'remote',
  capabilities: ['code'],
  capacity: 2,
  coordinatorId: null,
};
const registered: AgentEvent = { type: 'AgentRegistered', data: registration };
const reserved = (claimId: string): AgentEvent => ({ type: 'AgentReserved', data: { claimId, taskId } });
const disconnected: AgentEvent = { type: 'AgentDisconnected', data: { lastBeatAt: null } };
const reconnected: AgentEvent = { type: 'AgentReconnected', data: {} };
const inError: AgentEvent = { type: 'AgentErrorReported', data: { message: 'no disk' } };
const cleared: AgentEvent = { type: 'AgentErrorCleared', data: {} };
const deactivated: AgentEvent = { type: 'AgentDeactivated', data: { reason: 'holiday' } };
const activated: AgentEvent = { type: 'AgentActivated', data: {} };
const deregistered: AgentEvent = { type: 'AgentDeregistered', data: { reason: 'gone' } };
const released: AgentEvent = { type: 'AgentReleased', data: { claimId: claim, taskId, reason: 'done' } };
const changed: AgentEvent = { type: 'AgentChanged', data: { capacity: 5 } };

const states = {
  missing: [],
  idle: [registered],
  active: [registered, reserved(claim)],
  busy: [registered, reserved(claim), reserved(otherClaim)],
  disconnected: [registered, disconnected],
  error: [registered, inError],
  inactive: [registered, deactivated],
  deregistered: [registered, deregistered],
} satisfies Record<string, readonly AgentEvent[]>;
const rested = (until: string): AgentEvent => ({ type: 'AgentRested', data: { until, reason: 'limit reached' } });
type Name = keyof typeof states;
const living: readonly Name[] = ['idle', 'active', 'busy', 'disconnected', 'error', 'inactive'];

const everyLiving = (events: readonly AgentEvent[]): Partial<Record<Name, readonly AgentEvent[]>> =>
  Object.fromEntries(living.map((name) => [name, events]));

type Expectation = {
  readonly data: unknown;
  readonly decided: Partial<Record<Name, readonly AgentEvent[]>>;
  /** Code of the refusal in every other state that exists. */
  readonly refused?: 'no-capacity' | 'illegal-transition';
};
const table: Record<keyof AgentDecisions, Expectation> = {
  'agent.register': {
    data: registration,
    decided: {
      ...everyLiving([]),
      missing: [registered],
      deregistered: [registered],
      disconnected: [reconnected],
    },
  },
  'agent.change': { data: { capacity: 5 }, decided: everyLiving([changed]), refused: 'illegal-transition' },
  'agent.reserve': {
    data: { claimId: claim, taskId },
    decided: { idle: [reserved(claim)], active: [], busy: [] },
    refused: 'no-capacity',
  },
  'agent.release': {
    data: { claimId: claim, reason: 'done' },
    decided: { ...everyLiving([]), deregistered: [], active: [released], busy: [released] },
  },
  'agent.disconnect': {
    data: { lastBeatAt: null },
    decided: { ...everyLiving([disconnected]), disconnected: [], deregistered: [] },
  },
  'agent.reconnect': {
    data: {},
    decided: { ...everyLiving([]), disconnected: [reconnected] },
    refused: 'illegal-transition',
  },
  'agent.report-error': {
    data: { message: 'no disk' },
    decided: { ...everyLiving([inError]), error: [] },
    refused: 'illegal-transition',
  },
  'agent.clear-error': {
    data: {},
    decided: { ...everyLiving([]), error: [cleared] },
    refused: 'illegal-transition',
  },
  'agent.rest': {
    data: { until: '2026-01-01T02:00:00.000Z', reason: 'limit reached', at: Date.parse('2026-01-01T00:00:00Z') },
    decided: everyLiving([rested('2026-01-01T02:00:00.000Z')]),
    refused: 'illegal-transition',
  },
  'agent.deactivate': {
    data: { reason: 'holiday' },
    decided: { ...everyLiving([deactivated]), inactive: [] },
    refused: 'illegal-transition',
  },
  'agent.activate': {
    data: {},
    decided: { ...everyLiving([]), inactive: [activated] },
    refused: 'illegal-transition',
  },
  'agent.deregister': {
    data: { reason: 'gone' },
    decided: { ...everyLiving([deregistered]), deregistered: [] },
  },
};

describe.each(Object.entries(table))('%s', (type, { data, decided, refused }) => {
  it.each(Object.keys(states) as Name[])('of an agent that is %s', (name) => {
    const outcome = given(agent, ...states[name]).when(type as keyof AgentDecisions, data as never);
    const events = decided[name];
    if (events !== undefined) outcome.then(...events);
    else if (name === 'missing') outcome.thenRefused('not-found');
    else if (name === 'deregistered') outcome.thenRefused('illegal-transition');
    else outcome.thenRefused(refused ?? 'illegal-transition', { status: name });
  });
});

it.each(Object.keys(states) as Name[])('the status of an agent that is %s says so', (name) => {
  const events: readonly AgentEvent[] = states[name];
  expect(agentStatus(events.reduce(agent.evolve, agent.initial), 0)).toBe(name);
});

describe('a reservation', () => {
  const third = { claimId: '0190a000-0000-7000-8000-00000000000c', taskId };

  it('over capacity is refused', () => {
    given(agent, ...states.busy)
      .when('agent.reserve', third)
      .thenRefused('no-capacity', { status: 'busy' });
  });
  it('is possible again when one was given back', () => {
    given(agent, ...states.busy, released)
      .when('agent.reserve', third)
      .then({ type: 'AgentReserved', data: third });
  });
  it('that is known is nothing, even for an agent that has since fallen silent', () => {
    given(agent, ...states.active, disconnected)
      .when('agent.reserve', { claimId: claim, taskId })
      .then();
  });
  it('survives that the agent is registered anew', () => {
    given(agent, ...states.busy, deregistered, registered)
      .when('agent.reserve', third)
      .thenRefused('no-capacity');
  });
});

describe('registering again', () => {
  it('with other data changes what may change', () => {
    given(agent, registered)
      .when('agent.register', { ...registration, capacity: 5 })
      .then(changed);
  });
  it('under another name is refused', () => {
    given(agent, registered)
      .when('agent.register', { ...registration, name: 'codex' })
      .thenRefused('already-exists', { name: 'claude' });
  });
});

it('an error ends no silence: an agent in error that comes back is still in error', () => {
  given(agent, registered, inError, disconnected)
    .when('agent.reconnect', {})
    .thenState((state) => expect(agentStatus(state, 0)).toBe('error'));
});

describe('an agent at its limit', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const MINUTE = 60_000;
  const time = (minutes: number): string => new Date(now + minutes * MINUTE).toISOString();
  const reason = 'limit reached';
  const rests = (until: string | null, minutes: number) => ({ until, reason, at: now + minutes * MINUTE });
  const third = { claimId: '0190a000-0000-7000-8000-00000000000c', taskId };

  it('takes no task until the time that it named, then it does', () => {
    given(agent, registered, rested(time(5)))
      .when('agent.reserve', { ...third, at: now + 4 * MINUTE })
      .thenRefused('no-capacity', { status: 'resting', restingUntil: time(5) });
    given(agent, registered, rested(time(5)))
      .when('agent.reserve', { ...third, at: now + 5 * MINUTE })
      .then({ type: 'AgentReserved', data: third });
  });
  it('rests a week at most, whatever is said', () => {
    given(agent, registered)
      .when('agent.rest', rests(time(1_000_000), 0))
      .then(rested(time(7 * 24 * 60)));
  });
  it('that names no time, or one that is past, rests 1, 2, 4 … 60 minutes', () => {
    const events: AgentEvent[] = [registered];
    let minutes = 0;
    for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const until = pause % 2 === 0 ? null : time(minutes - 1);
      const next = rested(time(minutes + pause));
      given(agent, ...events)
        .when('agent.rest', rests(until, minutes))
        .then(next);
      events.push(next);
      minutes += pause;
    }
  });
  it('begins with a minute again when it did its work, or an hour went by', () => {
    const worked: AgentEvent = { type: 'AgentReleased', data: { claimId: claim, taskId, reason: 'TaskCompleted' } };
    const before = [registered, rested(time(1)), rested(time(3)), reserved(claim)];
    given(agent, ...before, worked)
      .when('agent.rest', rests(null, 10))
      .then(rested(time(11)));
    given(agent, ...before, released)
      .when('agent.rest', rests(null, 10))
      .then(rested(time(14)));
    given(agent, ...before)
      .when('agent.rest', rests(null, 64))
      .then(rested(time(65)));
  });
  it('is told once by all that ran when it met it; a later end counts', () => {
    given(agent, registered, rested(time(5)))
      .when('agent.rest', rests(null, 1))
      .then();
    given(agent, registered, rested(time(5)))
      .when('agent.rest', rests(time(5), 1))
      .then();
    given(agent, registered, rested(time(5)))
      .when('agent.rest', rests(time(9), 1))
      .then(rested(time(9)));
  });
});

it('a change of nothing is nothing', () => {
  given(agent, registered)
    .when('agent.change', { capacity: 2, capabilities: ['code'] })
    .then();
});
