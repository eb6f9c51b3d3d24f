import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import pino from 'pino';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Component } from '../component.ts';
import { runEngine, type EngineOptions } from '../engine.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { anySaga, cancel, request, timer, type Saga } from '../saga.ts';

/** Calls on reservation, waits for a timer on its success, and cancels when the agent is released. */
const callOnReservation: Saga<null> = {
  name: 'code-evolution',
  topics: ['agent'],
  correlate: ({ type, data }) => (type.startsWith('AgentRe') ? (data as { taskId: string }).taskId : null),
  initial: null,
  evolve: () => null,
  react: (_state, event, effects) => {
    if (event.type === 'SagaInputReceived' && event.data.type === 'AgentReserved')
      return [request({ kind: 'call', key: 'call', component: 'test', request: event.data.data, timeoutSeconds: 60 })];
    if (event.type === 'SagaInputReceived') return effects.get('call')?.state === 'requested' ? [cancel('call')] : [];
    if (event.type === 'SagaEffectSucceeded' && event.data.key === 'call') return [request(timer('later', 0.3))];
    return [];
  },
};

/** What the component does in a call. */
export type Work = (signal: AbortSignal) => Promise<unknown>;

export type EngineUnderTest = Pick<EngineOptions, 'sweepMilliseconds' | 'tries' | 'onWaiting'> & {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly work: Work;
  /** Default: the one above. */
  readonly saga?: Saga;
  /** Default: none are expected. */
  readonly commands?: Commands;
  /** Keys of the calls that were begun, in order. */
  readonly calls?: string[];
  /** Default: one on the log, of its own. */
  readonly bus?: EventBus;
  readonly logger?: Logger;
  readonly alone?: boolean;
};

/** Runs the engine on one saga that calls. @returns how to stop it */
export function startEngine(options: EngineUnderTest): () => Promise<void> {
  const { log, pool, work, calls = [], alone = true, logger = pino({ level: 'silent' }) } = options;
  const { saga = anySaga(callOnReservation), sweepMilliseconds, tries, onWaiting } = options;
  const commands = options.commands ?? { send: () => Promise.reject(new Error('this saga sends no commands')) };
  const component: Component = {
    name: 'test',
    perform: (_request, { key, signal }) => {
      calls.push(key);
      return work(signal);
    },
  };
  const bus = options.bus ?? createInProcessBus(log);
  const stopping = new AbortController();
  const running = runEngine({
    sagas: [saga],
    log,
    bus,
    pool,
    commands,
    components: [component],
    callConcurrency: 2,
    alone,
    ...(sweepMilliseconds !== undefined && { sweepMilliseconds }),
    ...(tries !== undefined && { tries }),
    ...(onWaiting !== undefined && { onWaiting }),
    outages: createOutages(logger),
    logger,
    signal: stopping.signal,
  });
  return async () => {
    stopping.abort();
    await running;
    if (options.bus === undefined) await bus.close();
  };
}

/** Writes what the saga reacts to, and reads what it made of it. */
export type Trial = {
  /** Begins a saga. */
  reserve(): Promise<{ agentId: string; taskId: string; claimId: string }>;
  /** Lets it cancel its call. @param times how often it was released before: 0 */
  release(ids: { agentId: string; taskId: string; claimId: string }, reason?: string, times?: number): Promise<void>;
  history(taskId: string): Promise<SagaEvent[]>;
  until(taskId: string, found: (event: SagaEvent) => boolean): Promise<SagaEvent[]>;
};

export function createTrial(log: EventLog): Trial {
  async function agentEvent(agentId: string, type: string, data: object, expected: 'none' | number): Promise<void> {
    const stream = streamName('agent', agentId);
    const metadata = {
      correlationId: newId(),
      causationId: null,
      commandId: newId(),
      commandHash: '',
      actor: 'system',
      traceparent: null,
    };
    await log.append(stream, encode(stream, [{ type, data }], metadata), expected);
  }

  async function history(taskId: string): Promise<SagaEvent[]> {
    const events: SagaEvent[] = [];
    for await (const event of log.readStream(streamName('saga-code-evolution', taskId)))
      events.push(event as unknown as SagaEvent);
    return events;
  }

  return {
    reserve: async () => {
      const ids = { agentId: newId(), taskId: newId(), claimId: newId() };
      await agentEvent(ids.agentId, 'AgentReserved', { claimId: ids.claimId, taskId: ids.taskId }, 'none');
      return ids;
    },
    release: ({ agentId, claimId, taskId }, reason = 'enough', times = 0) =>
      agentEvent(agentId, 'AgentReleased', { claimId, taskId, reason }, times),
    history,
    until: async (taskId, found) => {
      for (;;) {
        const events = await history(taskId);
        if (events.some(found)) return events;
        await pause(20);
      }
    },
  };
}

export const isResult = (key: string) => (event: SagaEvent) =>
  (event.type === 'SagaEffectSucceeded' || event.type === 'SagaEffectFailed') && event.data.key === key;

export function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Goes on until it is stopped. */
export const hang =
  (begun: () => void = () => undefined): Work =>
  (signal) =>
    new Promise((_resolve, reject) => {
      begun();
      signal.addEventListener('abort', () => reject(new Error('stopped')));
    });
