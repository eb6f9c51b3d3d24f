import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { AgentRow } from '@workledger/shared/contexts/agent/agent/row.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { agents } from './projection.ts';

const id = newId();
const registered: AgentEvent = {
  type: 'AgentRegistered',
  data: {
    name: 'helper',
    kind: 'worker',
    runtime: 'command',
    capabilities: ['code'],
    capacity: 2,
    coordinatorId: null,
  },
};
const first = { claimId: newId(), taskId: newId() };
const second = { claimId: newId(), taskId: newId() };
const reserve = (data: typeof first): AgentEvent => ({ type: 'AgentReserved', data });

const after = (...events: AgentEvent[]): AgentRow =>
  foldAll<AgentRow>(agents, history(streamName('agent', id), [registered, ...events])).get(id)!;
const statusAfter = (...events: AgentEvent[]): string => after(...events).status;

describe('the agents read model', () => {
  it('is idle, active or busy by the claims it holds', () => {
    expect(after()).toMatchObject({ id, name: 'helper', status: 'idle', claims: [], registeredAt: timeOf(0) });
    expect(statusAfter(reserve(first))).toBe('active');
    expect(after(reserve(first), reserve(second))).toMatchObject({
      status: 'busy',
      claims: [
        { ...first, since: timeOf(1) },
        { ...second, since: timeOf(2) },
      ],
    });
    const released: AgentEvent = { type: 'AgentReleased', data: { ...first, reason: 'done' } };
    expect(after(reserve(first), reserve(second), released)).toMatchObject({ status: 'active', claims: [second] });
  });

  it('is busy when its capacity was made smaller than what it holds', () => {
    expect(statusAfter(reserve(first), { type: 'AgentChanged', data: { capacity: 1 } })).toBe('busy');
  });

  it('says what keeps it from working, the strongest reason first', () => {
    const disconnected: AgentEvent = { type: 'AgentDisconnected', data: { lastBeatAt: timeOf(0) } };
    const error: AgentEvent = { type: 'AgentErrorReported', data: { message: 'no disk' } };
    const off: AgentEvent = { type: 'AgentDeactivated', data: { reason: 'holidays' } };
    const gone: AgentEvent = { type: 'AgentDeregistered', data: { reason: 'retired' } };
    expect(statusAfter(disconnected)).toBe('disconnected');
    expect(after(disconnected).lastBeatAt).toBe(timeOf(0));
    expect(statusAfter(disconnected, error)).toBe('error');
    expect(statusAfter(disconnected, error, off)).toBe('inactive');
    expect(statusAfter(disconnected, error, off, gone)).toBe('deregistered');
  });

  it('tells until when it rests, and why', () => {
    expect(after()).toMatchObject({ restingUntil: null, restReason: null });
    const until = '2026-11-28T21:00:00.000Z';
    expect(after({ type: 'AgentRested', data: { until, reason: 'limit reached' } })).toMatchObject({
      status: 'idle',
      restingUntil: until,
      restReason: 'limit reached',
    });
  });

  it('comes back from each of them', () => {
    const back: AgentEvent[] = [
      { type: 'AgentDisconnected', data: { lastBeatAt: null } },
      { type: 'AgentErrorReported', data: { message: 'no disk' } },
      { type: 'AgentDeactivated', data: { reason: 'holidays' } },
      { type: 'AgentReconnected', data: {} },
      { type: 'AgentErrorCleared', data: {} },
      { type: 'AgentActivated', data: {} },
    ];
    expect(statusAfter(...back)).toBe('idle');
    expect(statusAfter({ type: 'AgentDeregistered', data: { reason: 'retired' } }, registered)).toBe('idle');
  });
});
