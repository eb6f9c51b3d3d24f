import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import { idInRun, newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { LATER_STEPS, type TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { GoesOn } from '../domain/task.ts';
import { budgetOf, inConversationOf } from './claims.ts';
import { atRevision } from './configurations.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type LaterStep = (typeof LATER_STEPS)[number];
type Claim = Extract<TaskEvent, { type: 'TaskClaimed' }>['data'];

/** A commit that a run made, and the steps that may go on with it. */
type Made = Pick<GoesOn, 'commit' | 'base'> & { readonly position: bigint; readonly steps: readonly LaterStep[] };

/** Claims that are looked at, the newest first, and rounds of each. */
const CLAIMS = 10;
const ROUNDS = 50;

/**
 * Starts a failed or cancelled task again: by an agent, or from a later step with the newest commit that earlier runs made for it, as
 * the log tells. Then no agent is asked: the task is in validation at once, under a claim of its own.
 * @throws CommandRefused `illegal-transition` when it has not ended so, or when no commit can go on from there
 */
export async function retryTask(
  room: Room,
  taskId: string,
  { reason, from = 'generate' }: CommandData<'task.retry'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { state, commands } = await room.tasks.load(taskId);
  const isRepeat = recall(commands, context.commandId, context.commandHash) !== undefined;
  const mayGoOn = state.status === 'failed' || state.status === 'cancelled';
  if (from === 'generate' || isRepeat || !mayGoOn)
    return room.tasks.handle(taskId, { type: 'task.retry', data: { reason } }, context);
  const goesOn = await whatGoesOn(room, { taskId, repository: state.repository }, from);
  return room.tasks.handle(
    taskId,
    { type: 'task.retry', data: { reason, goesOn } },
    await inConversationOf(room.log, taskId, context),
  );
}

/** From the newest claim that made something for this step. @throws CommandRefused that names the steps that are possible, or the budget that is spent */
async function whatGoesOn(
  room: Room,
  { taskId, repository }: { readonly taskId: string; readonly repository: string | null },
  from: LaterStep,
): Promise<GoesOn> {
  const possible = new Set<LaterStep>();
  for (const claim of await lastClaims(room, taskId)) {
    const made = await madeUnder(room, claim);
    const newest = made.filter(({ steps }) => steps.includes(from)).reduce<Made | null>(newer, null);
    if (newest !== null) {
      const { agentId, runtime } = claim.data;
      const { commit, base } = newest;
      if (from === 'evolve' && runtime === 'command') await room.spending.demand(repository);
      const { leaseSeconds } = room.configuration;
      const budget = await budgetOf(room, taskId, runtime);
      return { claimId: newId(), agentId, runtime, leaseSeconds, ...budget, ...atRevision(room), from, commit, base };
    }
    for (const { steps } of made) for (const step of steps) possible.add(step);
  }
  const others = ['generate', ...LATER_STEPS.filter((step) => possible.has(step))];
  return refuse('illegal-transition', `${MISSING[from]}: retry it from ${others.join(' or ')}`, {
    from,
    possible: others,
  });
}

const MISSING: Readonly<Record<LaterStep, string>> = {
  evolve: 'no configured agent has written a commit for this task that could be improved',
  validate: 'no commit was made for this task that could be validated',
  merge: 'no commit of this task has passed its tests',
};

const newer = (one: Made | null, other: Made): Made => (one !== null && one.position > other.position ? one : other);

type Claimed = { readonly data: Claim; readonly position: bigint };

async function lastClaims({ log }: Room, taskId: string): Promise<readonly Claimed[]> {
  const claims: Claimed[] = [];
  for await (const recorded of log.readStream(streamName('task', taskId), { direction: 'backward' })) {
    if (recorded.type !== 'TaskClaimed') continue;
    claims.push({ data: upcast(recorded).data as Claim, position: recorded.position });
    if (claims.length === CLAIMS) break;
  }
  return claims;
}

/** Every commit that the run of a claim began with, generated, evolved or had validated. */
async function madeUnder(room: Room, { data: claim, position }: Claimed): Promise<readonly Made[]> {
  const { claimId, commit, base, from } = claim;
  const given =
    commit === undefined || base === undefined || from === undefined
      ? []
      : [{ commit, base, position, steps: LATER_STEPS.slice(0, LATER_STEPS.indexOf(from) + 1) }];
  const validated = await validatedUnder(room, claimId);
  const generated = claim.runtime === 'command' ? await generatedUnder(room, claimId) : [];
  const start = given[0]?.base ?? generated[0]?.base;
  const evolved = start === undefined ? [] : await evolvedUnder(room, claimId, start);
  return [...given, ...generated, ...evolved, ...validated];
}

async function validatedUnder(room: Room, claimId: string): Promise<readonly Made[]> {
  const made: Made[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const id = idInRun(claimId, 'validation', String(round));
    const events = await eventsOf<ValidationEvent>(room, 'validation', id);
    if (events.length === 0) break;
    const passed = events.some(({ event }) => event.type === 'ValidationPassed');
    for (const { position, event } of events)
      if (event.type === 'ValidationRequested') {
        const { commit, base } = event.data;
        made.push({ commit, base, position, steps: passed ? ['validate', 'merge'] : ['validate'] });
      }
  }
  return made;
}

/**
 * A later round starts from a commit that is told, not from the base: only where that is one which the run made is its base the
 * first round's.
 */
async function generatedUnder(room: Room, claimId: string): Promise<readonly Made[]> {
  const made: Made[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const id = idInRun(claimId, 'generation', String(round));
    let parent: string | null = null;
    for (const { position, event } of await eventsOf<GenerationEvent>(room, 'generation', id)) {
      if (event.type === 'GenerationRequested') parent = event.data.base;
      if (event.type !== 'GenerationSucceeded' || parent === null) continue;
      const { commit } = event.data;
      const isKnown = parent === made[0]?.base || made.some((before) => before.commit === parent);
      const base = round === 1 ? parent : isKnown ? made[0]?.base : undefined;
      if (base !== undefined) made.push({ commit, base, position, steps: ['evolve', 'validate'] });
    }
    if (parent === null) break;
  }
  return made;
}

async function evolvedUnder(room: Room, claimId: string, base: string): Promise<readonly Made[]> {
  const events = await eventsOf<EvolutionEvent>(room, 'evolution', idInRun(claimId, 'evolution'));
  return events.flatMap(({ position, event }) =>
    event.type === 'EvolutionCompleted'
      ? [{ commit: event.data.commit, base, position, steps: ['validate'] as const }]
      : [],
  );
}

async function eventsOf<Event>(
  { log }: Room,
  type: string,
  id: string,
): Promise<readonly { readonly position: bigint; readonly event: Event }[]> {
  const events: { position: bigint; event: Event }[] = [];
  for await (const recorded of log.readStream(streamName(type, id)))
    events.push({ position: recorded.position, event: upcast(recorded) as unknown as Event });
  return events;
}
