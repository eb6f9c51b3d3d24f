import { issue } from '@workledger/command-service/domain/issue.ts';
import { issueAssignment } from '@workledger/sagas/issue-assignment/issue-assignment.ts';
import { scenario } from '@workledger/sagas/engine/testing/scenario.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import { issueFold } from '@workledger/shared/contexts/task/issue/state.ts';
import { expect, test } from 'vitest';
import { createRandom, seeds } from '../../testing/events/random.ts';

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

const OFTEN = ['hear', 'hear', 'command', 'command', 'timer', 'decline'];
const SELDOM = [
  'ask',
  'ask',
  'accept',
  'leave',
  'close',
  'reopen',
  'reopen',
  'unassign',
  'unassign',
  'assign',
  'start',
];
const RUNS = 300;
const HAPPENINGS = 200;

const data: Readonly<Record<string, object>> = {
  ask: { acceptWithinSeconds: 60 },
  decline: { reason: null },
  assign: { assignee: 'user:1' },
  ...{ close: { reason: 'x' }, reopen: { reason: 'x' }, unassign: { reason: 'x' } },
};

test.each(seeds(1))(
  'whatever comes, and however late: one offer at most is open, no agent is asked twice in a round, and every round ends (seed %i)',
  (seed) => {
    const random = createRandom(seed);
    let offers = 0;
    for (let run = 0; run < RUNS; run++) {
      const { history, state, send, hear, perform, openEffects } = world();
      const one = (keys: readonly string[]): void => {
        if (keys.length > 0) perform(random.pick(keys));
      };
      for (let step = 0; step < HAPPENINGS; step++) {
        const what = random.pick(random.chance(0.8) ? OFTEN : SELDOM);
        if (what === 'hear') hear();
        else if (what === 'command' || what === 'timer') one(openEffects(what));
        else if (what === 'leave') send('issue.leave', { agentId: random.pick(AGENTS) });
        else send(`issue.${what}`, data[what]);
      }
      // Nobody does anything any more: what is asked comes to its end by itself.
      for (let step = 0; step < 400; step++) if (!hear()) one([...openEffects('command'), ...openEffects('timer')]);
      expect([state().round, openEffects('command'), openEffects('timer')]).toEqual([null, [], []]);
      offers += expectAskedInTurn(history);
    }
    expect(offers).toBeGreaterThan(RUNS);
  },
);

/** @returns how many offers there were */
function expectAskedInTurn(history: readonly IssueEvent[]): number {
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
  return asked.size;
}
