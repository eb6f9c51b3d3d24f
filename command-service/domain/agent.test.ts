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
  expect(agentStatus(events.reduce(agent.evolve, agent.initial))).toBe(name);
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
    .thenState((state) => expect(agentStatus(state)).toBe('error'));
});

it('a change of nothing is nothing', () => {
  given(agent, registered)
    .when('agent.change', { capacity: 2, capabilities: ['code'] })
    .then();
});
