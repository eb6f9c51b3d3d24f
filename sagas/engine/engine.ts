import type { Pool } from 'pg';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { untilLogIsRight } from '@workledger/shared/consumption/log-identity.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import { shareMembership } from '@workledger/shared/event-bus/shared-membership.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Component } from './component.ts';
import { runCoordinator } from './coordinator.ts';
import { createDatabaseClock, readTime } from './database-clock.ts';
import { effectTask, type Tries } from './effects/effect-task.ts';
import { freeAllJobs, runHeartbeat } from './effects/heartbeat.ts';
import { runPerformer, runSweep } from './effects/performer.ts';
import { createOpenEffects } from './effects/open-effects.ts';
import { openEffectQueue, type EffectQueue } from './effects/queue.ts';
import { runEffects } from './effects/run-effects.ts';
import { createRunningJobs, createWorkers } from './effects/running-jobs.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { patiently } from '@workledger/shared/resilience/patiently.ts';
import { createParking } from './parking.ts';
import { runRedrives } from './redrive.ts';
import type { OnNote } from './notes.ts';
import type { Saga } from './saga.ts';
import { createSagaStore } from './store.ts';

export type EngineOptions = {
  readonly sagas: readonly Saga[];
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly commands: Commands;
  readonly components: readonly Component[];
  /** Calls of components at once in this process. */
  readonly callConcurrency: number;
  /** No other process works on the same queue. */
  readonly alone: boolean;
  /** Between two looks for effects that lost their job; default 30,000. */
  readonly sweepMilliseconds?: number;
  /** Of an effect that fails for reasons that are no outage; default: 10, from one second to a minute apart. */
  readonly tries?: Tries;
  /** Told what keeps this program from working, by what it concerns; null: nothing any more. */
  readonly onWaiting?: (where: string, reason: string | null) => void;
  /** Told of each note of a call that was taken as its task's progress. */
  readonly onNote?: OnNote | undefined;
  readonly outages: Outages;
  readonly logger: Logger;
  /** Ends it all, after what is in hand was given back. */
  readonly signal: AbortSignal;
};

/** What was decided from one log is not carried out on another. */
const SAGAS = { schema: 'sagas', belongs: 'the sagas (schema sagas) belong', meanwhile: 'Nothing is carried out' };

/** A queue whose PostgreSQL is away cannot end its jobs: others take them over. */
const STOP_MILLISECONDS = 15_000;

/** Runs sagas until the signal aborts: their input, their effects and the jobs in which these are carried out. Servers that are away are waited for. */
export async function runEngine(options: EngineOptions): Promise<void> {
  const { pool, commands, outages, logger, signal } = options;
  const clock = createDatabaseClock();
  const open = async (): Promise<EffectQueue> => {
    await clock.set(() => readTime(pool));
    const queue = await openEffectQueue(pool, logger, outages);
    if (options.alone) await freeAllJobs({ pool, queue, logger });
    await queue.hurry();
    return queue;
  };
  const queue = await patiently('postgresql', open, { outages, logger, signal }).catch(unlessAborted(signal));
  if (queue === null) return;
  const onProblem = (problem: string | null): void => options.onWaiting?.('the event log', problem);
  await untilLogIsRight('sagas', SAGAS, { ...options, onProblem });
  if (signal.aborted) return queue.close().catch(() => undefined);

  const store = createSagaStore({ ...options, now: clock.now });
  const openEffects = createOpenEffects(pool);
  const parking = createParking(pool);
  const { sagas } = options;
  const topics = [...new Set(['saga' as const, ...sagas.flatMap((saga) => saga.topics)])];
  const bus = shareMembership(options.bus, { group: 'sagas', topics, consumers: sagas.length + 1 });
  const consumption = { ...options, bus, store, parking };
  const consumed = Promise.all([
    ...sagas.map((saga) => runCoordinator(saga, consumption)),
    runPerformer({ ...consumption, queue, openEffects }),
  ]);
  const looking = { ...consumption, queue, openEffects };
  const swept = Promise.all([runSweep(looking), runRedrives(looking)]).then(() => undefined);

  const workers = createWorkers();
  const running = createRunningJobs();
  const beating = new AbortController();
  const beaten = runHeartbeat({ pool, queue, workers, running, clock, outages, logger, signal: beating.signal });
  signal.addEventListener('abort', running.abortAll, { once: true });
  const task = effectTask({
    ...{ store, parking, clock, tries: options.tries, onNote: options.onNote },
    running,
    outages,
    logger,
    components: new Map(options.components.map((component) => [component.name, component])),
    commands,
  });
  const { callConcurrency } = options;
  const worked = runEffects({ pool, task, workers, outages, logger, callConcurrency, signal });

  await Promise.all([consumed, withinLimit(worked, signal), withinLimit(swept, signal)]);
  beating.abort();
  await withinLimit(beaten, signal);
  await queue.close().catch(() => undefined);
}

const unlessAborted =
  (signal: AbortSignal) =>
  (error: unknown): null => {
    if (signal.aborted) return null;
    throw error;
  };

/** As long as it likes, but not much longer than until the signal aborts. */
async function withinLimit(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done.signal });
  });
  const limit = stopped.then(() => pause(STOP_MILLISECONDS, done.signal));
  await Promise.race([work, limit]).finally(() => done.abort());
}
