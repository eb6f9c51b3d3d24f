import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { untilLogIsRight } from '@workledger/shared/consumption/log-identity.ts';
import { consume, type ConsumptionOptions } from '@workledger/shared/consumption/consume.ts';
import { createProgress } from '@workledger/shared/consumption/progress.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import { derivedId, newId, streamId, streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import { entryOf } from '@workledger/shared/contexts/task/workflow-run/state.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import type { Pool } from 'pg';
import { createRepositoryOf } from '../../webhooks/repository.ts';
import { countsAfter, isWaitedFor, nameOf, toldOf } from './matching.ts';
import {
  forgetRun,
  forgetWait,
  namesWaitedFor,
  noteReading,
  noteWait,
  waitsBehind,
  waitsFor,
  type Wait,
} from './table.ts';

export type WaitsOptions = ConsumptionOptions & {
  readonly pool: Pool;
  readonly commands: Commands;
  readonly onWaiting?: (where: string, reason: string | null) => void;
};

/** What was decided from one log is not told of another. */
const WAITS = {
  schema: 'sagas',
  belongs: 'the sagas (schema sagas) belong',
  meanwhile: 'No run is told what it waits for',
};

const GROUP = 'workflow-waits';
const TOPICS: readonly Context[] = ['task', 'evolution', 'agent', 'sync'];
const AT_ONCE = 500;
/** Where nothing wakes; while this process knows of no wait, those who have noted one look after it. */
const LOOK_MILLISECONDS = 2_000;
const LOOK_FOR_OTHERS_MILLISECONDS = 5_000;
/** For so long a process takes it that it knows what is waited for; a wait is read for again, later than that. */
const KNOWN_MILLISECONDS = 1_000;
const AGAIN_SECONDS = 2.5;

/**
 * Tells runs of workflows the events that their steps wait for, until the signal aborts. An event that counts (`countsAfter`), but came
 * before the wait was known here, is read from the log: that a wait is noted before the log's head is asked for misses none.
 */
export async function runWaits(options: WaitsOptions): Promise<void> {
  const { pool, log, outages, logger, signal, commands } = options;
  const onProblem = (problem: string | null): void => options.onWaiting?.('workflow waits: the event log', problem);
  await untilLogIsRight('workflow-waits', WAITS, { pool, log, logger, signal, outages, onProblem });
  if (signal.aborted) return;
  const repositoryOf = createRepositoryOf(log);
  const wakeUps = createWakeUps();
  let known: { readonly names: ReadonlySet<string>; readonly at: number } = { names: new Set(), at: -Infinity };
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  const inLog = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('event-log', action);

  /** The run takes the first one; what comes after it, or again, changes nothing. */
  async function tell(wait: Wait, recorded: RecordedEvent): Promise<void> {
    const { runId, step, round, attempt } = wait;
    const data = { step, round, attempt, event: toldOf(recorded) };
    const command = { type: 'workflow-run.notice-event', target: runId, data };
    const context = {
      actor: `saga:${streamName('saga-workflow', runId)}`,
      correlationId: recorded.metadata.correlationId ?? newId(),
      causationId: recorded.id,
      commandId: derivedId('workflow-wait', runId, entryOf(wait), recorded.id),
    };
    await commands.send(command, context).catch((error: unknown) => {
      if (!(error instanceof CommandRefused)) throw error;
    });
    await inPostgres(() => forgetWait(pool, wait));
  }

  async function tellThose(waits: readonly Wait[], events: readonly RecordedEvent[]): Promise<void> {
    const told = new Set<Wait>();
    for (const event of events)
      for (const wait of waits)
        if (!told.has(wait) && (await inLog(() => isWaitedFor(wait, event, repositoryOf)))) {
          told.add(wait);
          await tell(wait, event);
        }
  }

  async function noteOwn(recorded: RecordedEvent): Promise<void> {
    const runId = streamId(recorded.stream);
    const { type, data } = upcast(recorded) as unknown as WorkflowRunEvent;
    if (type === 'WorkflowRunEventSeen') return inPostgres(() => forgetWait(pool, { runId, ...data }));
    if (type === 'WorkflowRunCompleted' || type === 'WorkflowRunFailed' || type === 'WorkflowRunCancelled')
      return known.names.size === 0 ? undefined : inPostgres(() => forgetRun(pool, runId));
    if (type !== 'WorkflowRunWaitBegan') return;
    const after = await inLog(() => countsAfter(log, recorded));
    await inPostgres(() => noteWait(pool, { ...data, runId, after }));
    known = { names: new Set([...known.names, ...data.events]), at: known.at };
    wakeUps.wake();
  }

  async function receive(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) if (streamType(event.stream) === 'workflow-run') await noteOwn(event);
    if (performance.now() - known.at > KNOWN_MILLISECONDS) {
      const at = performance.now();
      known = { names: new Set(await inPostgres(() => namesWaitedFor(pool))), at };
    }
    const names = [...new Set(events.map(nameOf))].filter((name) => known.names.has(name));
    if (names.length === 0) return;
    const ids = [...new Set(events.map(({ stream }) => streamId(stream)))];
    const waits = await inPostgres(() => waitsFor(pool, names, ids));
    if (waits.length > 0) await tellThose(waits, events);
  }

  async function catchUpOnce(): Promise<number> {
    const waits = await inPostgres(() => waitsBehind(pool, AT_ONCE, AGAIN_SECONDS));
    if (waits.length === 0) return 0;
    const until = await inLog(() => log.head());
    for (const wait of waits.filter(({ of }) => of !== null)) await readStreamsOf(wait, until);
    const ofAny = waits.filter(({ of }) => of === null);
    if (ofAny.length > 0) await readLog(ofAny, until);
    await inPostgres(() => noteReading(pool, waits, until));
    return waits.length;
  }

  async function readStreamsOf(wait: Wait, until: bigint): Promise<void> {
    const types = new Set(wait.events.map((name) => name.split('.')[1] ?? ''));
    for (const type of types)
      for await (const event of log.readStream(streamName(type, wait.of ?? ''))) {
        if (event.position > until) break;
        if (await isWaitedFor(wait, event, repositoryOf)) return tell(wait, event);
      }
  }

  /** Once for all of them. */
  async function readLog(waits: readonly Wait[], until: bigint): Promise<void> {
    const after = waits.reduce((least, wait) => (wait.after < least ? wait.after : least), until);
    if (after >= until) return;
    const names = waits.flatMap(({ events }) => events.map((name) => name.split('.')));
    const streams = [...new Set(names.map(([, type = '']) => type))];
    const types = [...new Set(names.map(([, , type = '']) => type))];
    let open = [...waits];
    for await (const event of log.readAll({ after, until, streams, types, signal })) {
      for (const wait of open)
        if (await isWaitedFor(wait, event, repositoryOf)) {
          open = open.filter((each) => each !== wait);
          await tell(wait, event);
        }
      if (open.length === 0) return;
    }
    signal.throwIfAborted();
  }

  async function keepCatchingUp(): Promise<void> {
    while (!signal.aborted) {
      const seen = wakeUps.count();
      let found = 0;
      try {
        found = await catchUpOnce();
      } catch (error) {
        if (!signal.aborted && !outages.isTold(error))
          logger.error({ err: error }, 'what runs of workflows wait for cannot be read: trying again');
        await pause(LOOK_MILLISECONDS, signal);
      }
      const longest = known.names.size > 0 ? LOOK_MILLISECONDS : LOOK_FOR_OTHERS_MILLISECONDS;
      if (found < AT_ONCE) await wakeUps.next(longest, signal, seen);
    }
  }

  await Promise.all([
    consume(options, {
      group: GROUP,
      topics: TOPICS,
      progress: createProgress(pool, 'sagas', GROUP),
      receive,
    }),
    keepCatchingUp(),
  ]);
}
