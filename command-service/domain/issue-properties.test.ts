import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import { issueFold, type IssueState } from '@workledger/shared/contexts/task/issue/state.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { issue, type IssueDecisions } from './issue.ts';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const agent = (agentId: string): string => `agent:${agentId}`;
const operator = 'user:0190a000-0000-7000-8000-0000000000cc';
const taskId = id(10);

/** What commands say, but for round, number and agent. */
const said: Record<keyof IssueDecisions, object> = {
  'issue.create': { title: 'x', description: '', priority: 'low', labels: [], capabilities: [], repository: null },
  'issue.change': { priority: 'high' },
  'issue.update': { priority: 'high', resolution: null, reason: null },
  'issue.assign': {},
  'issue.ask': { acceptWithinSeconds: 60 },
  'issue.unassign': { reason: 'busy' },
  'issue.offer': {},
  'issue.end-round': {},
  'issue.accept': {},
  'issue.decline': { reason: null },
  'issue.expire-offer': {},
  'issue.leave': {},
  'issue.start': {},
  'issue.resolve': { resolution: null },
  'issue.close': { reason: 'done' },
  'issue.reopen': { reason: 'again' },
  'issue.turn-into-task': { taskId, ended: false },
  'issue.follow-task': { taskId, became: 'started', reason: null },
};

/** The model: only what the words of the requirement say. */
type Model = { state: string; assignee: string | null; asked: Set<string>; open: string | null };
const agents = [1, 2, 3].map(id);
const commandOf = fc.record({
  type: fc.constantFrom(...(Object.keys(said) as (keyof IssueDecisions)[])),
  agent: fc.constantFrom(...agents),
  byAgent: fc.boolean(),
  late: fc.integer({ min: 0, max: 1 }),
  became: fc.constantFrom('started', 'complete', 'failed', 'cancelled'),
  status: fc.constantFrom('open', 'in-progress', 'resolved', 'closed'),
});

it('whatever comes: states follow one another as they may, one offer at most is open, and no agent is asked twice in a round', () => {
  const next: Readonly<Record<string, readonly string[]>> = {
    missing: ['open'],
    open: ['in-progress', 'resolved', 'closed'],
    'in-progress': ['resolved', 'closed', 'open'],
    resolved: ['closed', 'open'],
    closed: ['open'],
  };
  fc.assert(
    fc.property(fc.array(commandOf, { maxLength: 80 }), (commands) => {
      let state: IssueState = issueFold.initial;
      const model: Model = { state: 'missing', assignee: null, asked: new Set(), open: null };
      for (const { type, agent: agentId, byAgent, late, became, status } of commands) {
        const { round, rounds } = state;
        const number = (round?.asked.length ?? 0) + 1 - late;
        const data = {
          ...said[type],
          round: rounds,
          number,
          agentId,
          assignee: agent(agentId),
          ...(type === 'issue.follow-task' && { became }),
          ...(type === 'issue.update' && { status }),
        };
        const decide = issue.decisions[type] as (data: object, state: IssueState, context: object) => IssueEvent[];
        for (const event of attempt(() =>
          decide(data, state, { id: id(0), actor: byAgent ? agent(agentId) : operator }),
        )) {
          state = issueFold.evolve(state, event);
          follow(model, event);
        }
        expect([model.state, ...(next[model.state] ?? [])]).toContain(state.status);
        model.state = state.status;
        expect(state.assignee).toBe(model.assignee);
        expect(state.round?.offer?.agentId ?? null).toBe(model.open);
        expect([...(state.round?.asked ?? [])]).toEqual([...model.asked]);
        expect(state.round === null || (state.assignee === null && state.status === 'open')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

function follow(model: Model, event: IssueEvent): void {
  switch (event.type) {
    case 'IssueOffered':
      expect([model.open, model.asked.has(event.data.agentId)]).toEqual([null, false]);
      model.asked.add(event.data.agentId);
      model.open = event.data.agentId;
      return;
    case 'IssueOfferEnded':
      expect(model.open).toBe(event.data.agentId);
      model.open = null;
      return;
    case 'IssueAssignmentEnded':
      model.asked = new Set();
      return;
    case 'IssueAssigned':
      model.assignee = event.data.assignee;
      return;
    case 'IssueUnassigned':
      model.assignee = null;
      return;
    default:
  }
}

function attempt(decide: () => readonly IssueEvent[]): readonly IssueEvent[] {
  try {
    return decide();
  } catch (error) {
    if (error instanceof CommandRefused) return [];
    throw error;
  }
}
