import { z } from 'zod';
import { time } from '@workledger/shared/contexts/define-row.ts';
import { taskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import { dollars, type SpentDay } from '@workledger/shared/read-models/budgets.ts';

const text = z.string().describe('the same for a person');
const count = z.int().min(0);
const ahead = count.nullable().describe('tasks that its agents would rather take, 1,000 at most; null: not counted');

/** Why a task waits. Several may hold at once. */
export const waitingReason = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('dependency'),
    taskId: uuid,
    title: z.string().nullable(),
    state: taskRow.shape.state.nullable(),
    text,
  }),
  z.strictObject({ kind: z.literal('subtasks'), subtasks: count, complete: count, text }),
  z.strictObject({
    kind: z.literal('capability'),
    missing: z.array(z.string()).describe('what no agent can do, or none together with the rest'),
    text,
  }),
  z.strictObject({ kind: z.literal('agents-away'), agents: count, text }),
  z.strictObject({ kind: z.literal('agent-resting'), until: time, reason: z.string(), text }),
  z.strictObject({ kind: z.literal('agents-busy'), agents: count, ahead, text }),
  z.strictObject({ kind: z.literal('turn'), agents: count.describe('those that have room'), ahead, text }),
  z.strictObject({ kind: z.literal('repository'), name: z.string(), text }),
  z.strictObject({
    kind: z.literal('budget'),
    scope: z.enum(['task', 'day']),
    repository: z.string().nullable().describe('whose day; null: that of all, or a task'),
    spentUsd: z.number().nullable().describe('null: not for who is limited to some repositories'),
    limitUsd: z.number(),
    text,
  }),
  z.strictObject({
    kind: z.literal('answer'),
    questionId: uuid,
    askee: z.string().describe('the participant, role or team that is asked'),
    approvalOf: z
      .string()
      .nullable()
      .describe('the commit whose merge is to be approved; null: it is another question'),
    deadline: time.nullable(),
    text,
  }),
  z.strictObject({
    kind: z.literal('merge-queue'),
    position: z.int().min(1).describe('1: it has its turn'),
    behind: uuid.nullable().describe('the task whose turn comes just before'),
    text,
  }),
]);
export type WaitingReason = z.infer<typeof waitingReason>;

/** What keeps a task from an agent, as `read_models.agents` has them. */
export type Agent = {
  readonly capabilities: readonly string[];
  readonly runtime: 'command' | 'remote';
  readonly away: boolean;
  readonly full: boolean;
  readonly restingUntil: string | null;
  readonly restReason: string | null;
};

type Wanted = { readonly capabilities: readonly string[]; readonly repository: string | null };

export const agentsFor = (agents: readonly Agent[], { capabilities, repository }: Wanted): readonly Agent[] =>
  agents.filter(
    (agent) =>
      (agent.runtime === 'remote' || repository !== null) &&
      capabilities.every((wanted) => agent.capabilities.includes(wanted)),
  );

/** What agents have to do with it that a task waits: exactly one reason. @param ahead tasks before it; null: not counted */
export function agentReason(
  agents: readonly Agent[],
  task: Wanted,
  ahead: number | null,
  now: Date = new Date(),
): WaitingReason {
  const able = agentsFor(agents, task);
  if (able.length === 0) return missing(agents, task);
  const there = able.filter(({ away }) => !away);
  if (there.length === 0) {
    const none =
      able.length === 1 ? 'the agent that can do it is' : `none of the ${able.length} agents that can do it is`;
    const state = able.length === 1 ? 'not connected, or switched off' : 'connected and switched on';
    return { kind: 'agents-away', agents: able.length, text: `${none} ${state}` };
  }
  const awake = there.filter(({ restingUntil }) => restingUntil === null || Date.parse(restingUntil) <= now.getTime());
  if (awake.length === 0) return resting(there);
  const free = awake.filter(({ full }) => !full);
  const before = ahead === null ? '' : `; ${many(ahead, 'task')} before it`;
  if (free.length === 0) {
    const held = `${many(awake.length, 'agent')} can do it, and ${awake.length === 1 ? 'has' : 'have'} no room now`;
    return { kind: 'agents-busy', agents: awake.length, ahead, text: `${held}${before}` };
  }
  const room = `${many(free.length, 'agent')} with room for it: it is claimed when its turn comes`;
  return { kind: 'turn', agents: free.length, ahead, text: `${room}${before}` };
}

/** 1,000 stands for as many, or more. */
export const MOST_AHEAD = 1_000;
const many = (number: number, noun: string): string =>
  `${number >= MOST_AHEAD ? `${MOST_AHEAD} or more` : number} ${noun}${number === 1 ? '' : 's'}`;

function missing(agents: readonly Agent[], { capabilities }: Wanted): WaitingReason {
  const known = new Set(agents.flatMap((agent) => agent.capabilities));
  const unknown = capabilities.filter((capability) => !known.has(capability));
  if (unknown.length > 0)
    return { kind: 'capability', missing: unknown, text: `no registered agent can do: ${unknown.join(', ')}` };
  const able = agents.some((agent) => capabilities.every((wanted) => agent.capabilities.includes(wanted)));
  if (able) return { kind: 'capability', missing: [], text: 'it has no repository, and no remote agent can do it' };
  const none =
    agents.length === 0 ? 'no agent is registered' : `no single agent can do all of: ${capabilities.join(', ')}`;
  return { kind: 'capability', missing: [...capabilities], text: none };
}

function resting(agents: readonly Agent[]): WaitingReason {
  const [first] = agents.toSorted((one, other) => ((one.restingUntil ?? '') < (other.restingUntil ?? '') ? -1 : 1));
  const until = first?.restingUntil ?? '';
  const reason = first?.restReason ?? 'no reason was given';
  return { kind: 'agent-resting', until, reason, text: `its agent rests until ${until}: ${reason}` };
}

/** @param isLimited whoever asks may not know what others spend */
export const dayReason = ({ repository, spentUsd, limitUsd }: SpentDay, isLimited: boolean): WaitingReason => ({
  kind: 'budget',
  scope: 'day',
  ...{ repository, limitUsd, spentUsd: isLimited && repository === null ? null : spentUsd },
  text:
    `today's budget of ${repository ?? 'all repositories'}, ${dollars(limitUsd)}, is spent: ` +
    'no agent is started for it before tomorrow, UTC',
});

export const taskBudgetReason = (limitUsd: number, spentUsd: number): WaitingReason => ({
  kind: 'budget',
  scope: 'task',
  repository: null,
  ...{ spentUsd, limitUsd },
  text: `it has spent ${dollars(spentUsd)} of its ${dollars(limitUsd)}: its next run ends at once, unless the budget is raised`,
});
