import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { holds } from '../domain/task.ts';
import { beatAgent } from './agents.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { Room } from './room.ts';
import { step, unchanged, type StepContext } from './step.ts';

/**
 * Takes a task from an agent whose lease has run out. While it has not, and while the work is being validated (the agent has
 * nothing to report then), nothing happens, and `details.dueAt` (ISO 8601) says when to ask again.
 * @throws CommandRefused
 */
export async function expireClaim(
  room: Room,
  taskId: string,
  claimId: string,
  context: StepContext,
): Promise<CommandAnswer> {
  const command = { type: 'task.expire-claim', data: { claimId } } as const;
  const task = await room.tasks.load(taskId);
  if (recall(task.commands, context.commandId, context.commandHash) !== undefined)
    return room.tasks.handle(taskId, command, context);

  const { leaseSeconds } = holds(task.state, claimId, context);
  if (task.state.status === 'validation') {
    const dueAt = new Date(Date.now() + leaseSeconds * 1_000);
    return unchanged(taskId, task, { dueAt: dueAt.toISOString() });
  }
  const workingSince = await startOfWork(room, task.stream);
  const { expired, dueAt } = await room.heartbeats.lease(`claim:${claimId}`, workingSince, leaseSeconds);
  return expired
    ? room.tasks.handle(taskId, command, context)
    : unchanged(taskId, task, { dueAt: dueAt.toISOString() });
}

/** When the agent got the task, or got it back: it is known to hold it. @throws LogBehind */
async function startOfWork(room: Room, stream: string): Promise<Date> {
  for await (const { type, recordedAt } of room.log.readStream(stream, { direction: 'backward' }))
    if (type === 'TaskClaimed' || type === 'TaskSentBack') return recordedAt;
  throw new LogBehind(stream, 0, 'none');
}

/**
 * Renews a lease: a sign of life of the claim and of its agent, which a deregistered agent cannot give.
 * @throws CommandRefused
 */
export async function renewLease(
  room: Room,
  taskId: string,
  claimId: string,
  context: StepContext,
): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  const { agentId, leaseSeconds } = holds(task.state, claimId, context);
  checkRevision(task, context);
  await beatAgent(room, agentId, step(context, 'reconnect'), `claim:${claimId}`);
  return unchanged(taskId, task, { claimId, taskId, leaseSeconds });
}

export type LeaseWatchOptions = {
  readonly commands: Commands & { readonly heartbeats: Pick<Heartbeats, 'openClaims'> };
  /** As it is now. */
  readonly leaseSeconds: () => number;
  readonly logger: Pick<Logger, 'debug' | 'error'>;
};

const LOOKED_AT_ONCE = 200;
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_SECONDS = 60;
/** What the read model holds for due, and the log does not: not asked again before this. */
const NEXT_LOOK_MS = 1_000;

/**
 * Watches the leases of all open claims: looks when the next one runs out, and has those that are due taken back, which the log
 * decides. Watching writes nothing, so a claim costs the same after a week as after a minute; any number of processes may watch.
 * `stop` resolves when the look under way has ended.
 */
export function startLeaseWatch({ leaseSeconds, logger, ...options }: LeaseWatchOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const look = createLeaseLook(options);
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      // No claim that is made from now on can be due earlier than a lease from now, while nobody makes that shorter.
      let milliseconds = 1_000 * Math.min(leaseSeconds(), LONGEST_PAUSE_SECONDS);
      try {
        milliseconds = Math.min(milliseconds, await look());
      } catch (error) {
        milliseconds = Math.min(milliseconds, NEXT_LOOK_MS);
        logger[isAway(error) ? 'debug' : 'error']({ err: error }, 'leases could not be looked at: trying again');
      }
      await pause(milliseconds, stopping.signal);
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return watching;
    },
  };
}

/** @returns a function that looks once, and answers how many milliseconds later there is something to look at; Infinity: nothing */
export function createLeaseLook({ commands }: Pick<LeaseWatchOptions, 'commands'>): () => Promise<number> {
  /** Claims that were asked for too early, and when to ask again, on the clock of `performance`. */
  let askedFor: ReadonlyMap<string, number> = new Map();

  return async () => {
    const claims = await commands.heartbeats.openClaims(LOOKED_AT_ONCE);
    const begun = performance.now();
    const later = new Map<string, number>();
    let next = claims.length === LOOKED_AT_ONCE ? NEXT_LOOK_MS : Infinity;
    for (const { taskId, claimId, seconds } of claims) {
      let wait = Math.max(seconds * 1_000, (askedFor.get(claimId) ?? 0) - performance.now());
      if (wait <= 0) {
        wait = await takeBack(commands, taskId, claimId);
        later.set(claimId, performance.now() + wait);
      } else if (askedFor.has(claimId)) later.set(claimId, begun + wait);
      next = Math.min(next, Math.max(SHORTEST_PAUSE_MS, wait));
    }
    askedFor = later;
    return next;
  };
}

/** @returns milliseconds before which it is not to be asked again */
async function takeBack(commands: Commands, taskId: string, claimId: string): Promise<number> {
  try {
    const command = { type: 'task.expire-claim', target: taskId, data: { claimId } };
    const { details } = await commands.send(command, { actor: 'system', correlationId: newId() });
    const { dueAt } = details as { dueAt?: string };
    return dueAt === undefined ? NEXT_LOOK_MS : Math.max(NEXT_LOOK_MS, Date.parse(dueAt) - Date.now());
  } catch (error) {
    // Somebody else was first, or the work was submitted: the read model will say so.
    if (error instanceof CommandRefused) return NEXT_LOOK_MS;
    throw error;
  }
}
