import { issue } from '@workledger/command-service/domain/issue.ts';
import { issueAssignment } from '@workledger/sagas/issue-assignment/issue-assignment.ts';
import { scenario } from '@workledger/sagas/engine/testing/scenario.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import { issueFold } from '@workledger/shared/contexts/task/issue/state.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const AGENTS = [1, 2, 3, 4].map(id);
const person = { id: id(0), actor: 'user:1' };
const details = {
  title: 'x',
  description: '',
  priority: 'low',
  labels: [],
  capabilities: [],
  repository: null,
} as const;
type Decide = (data: object, state: typeof issueFold.initial, context: object) => readonly IssueEvent[];

/** The saga and the issue, their events and commands carried between them as late as chance has it. */
function world() {
  const saga = scenario(issueAssignment);
  const history: IssueEvent[] = [];
  const told = { count: 0 };
  const state = () => history.reduce(issueFold.evolve, issueFold.initial);
  const send = (type: string, data: object = {}): void => {
    try {
      const decide = issue.decisions[type as 'issue.close'] as unknown as Decide;
      history.push(...decide(data, state(), person));
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
    }
  };
  const hear = (): boolean => {
    const event = history[told.count];
    if (event === undefined) return false;
    told.count++;
    saga.receives('issue', person.id, event.type, event.data);
    return true;
  };
  /** As `command-service/processes/issues.ts` does: the first that was not asked, or the end of the round. */
  const perform = (key: string): void => {
    const effect = saga.requested(key);
    if (effect?.kind === 'command') {
      const data = effect.data as { round: number };
      const { round } = state();
      const next = AGENTS.find((agentId) => round?.number === data.round && !round.asked.includes(agentId));
      if (effect.type !== 'issue.offer') send(effect.type, data);
      else if (next !== undefined && round?.offer === null) send(effect.type, { ...data, agentId: next });
      else send('issue.end-round', data);
    }
    saga.succeeds(key);
  };
  const openEffects = (kind: 'command' | 'timer') => saga.open().filter((key) => saga.requested(key)?.kind === kind);
  send('issue.create', details);
  return { history, state, send, hear, perform, openEffects };
}

const happening = fc.tuple(
  fc.constantFrom(
    'hear',
    'hear',
    'command',
    'command',
    'timer',
    'ask',
    'accept',
    'decline',
    'close',
    'reopen',
    'assign',
    'unassign',
    'leave',
    'start',
  ),
  fc.nat(),
);

it('whatever comes, and however late: one offer at most is open, no agent is asked twice in a round, and every round ends', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 80 }), (happenings) => {
      const { history, state, send, hear, perform, openEffects } = world();
      const one = (keys: readonly string[], index: number) => {
        const key = keys[index % Math.max(1, keys.length)];
        if (key !== undefined) perform(key);
      };
      const data: Readonly<Record<string, object>> = {
        ask: { acceptWithinSeconds: 60 },
        decline: { reason: null },
        assign: { assignee: 'user:1' },
        ...{ close: { reason: 'x' }, reopen: { reason: 'x' }, unassign: { reason: 'x' } },
      };
      for (const [what, index] of happenings) {
        if (what === 'hear') hear();
        else if (what === 'command' || what === 'timer') one(openEffects(what), index);
        else if (what === 'leave') send('issue.leave', { agentId: AGENTS[index % AGENTS.length] });
        else send(`issue.${what}`, data[what]);
      }
      // Nobody does anything any more: what is asked comes to its end by itself.
      for (let step = 0; step < 200; step++)
        if (!hear()) one([...openEffects('command'), ...openEffects('timer')].slice(0, 1), 0);
      expect([state().round, openEffects('command'), openEffects('timer')]).toEqual([null, [], []]);
      expectAskedInTurn(history);
    }),
    { numRuns: 300 },
  );
});

function expectAskedInTurn(history: readonly IssueEvent[]): void {
  let open: string | null = null;
  const asked = new Set<string>();
  for (const { type, data } of history) {
    if (type === 'IssueOffered') {
      const place = `${data.round} ${data.agentId}`;
      expect([open, asked.has(place)]).toEqual([null, false]);
      asked.add(place);
      open = place;
    }
    if (type === 'IssueOfferEnded') open = null;
  }
}
