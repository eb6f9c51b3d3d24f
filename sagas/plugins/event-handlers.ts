import type { Pool } from 'pg';
import { consume, type ConsumptionOptions } from '@workledger/shared/consumption/consume.ts';
import { untilLogIsRight } from '@workledger/shared/consumption/log-identity.ts';
import { createProgress } from '@workledger/shared/consumption/progress.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import type { EventHandler, PluginCalls } from '@workledger/shared/plugins/plugin.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import type { InRun } from '../components/run-component.ts';
import { beginAt } from '../engine/begun.ts';
import type { Component } from '../engine/component.ts';
import { createSetAside, type SetAside } from './set-aside.ts';
import type { PluginWays } from './tools.ts';

export type HandlersOptions = ConsumptionOptions & {
  readonly pool: Pool;
  readonly components: readonly Component[];
  /** Of an event that a handler fails at; default: 6, from a second to a minute apart. */
  readonly tries?: { readonly most: number; readonly shortest: number; readonly longest: number };
};

/** All but those of sagas, which nobody outside gets. */
const TOPICS: readonly Context[] = ['task', 'evolution', 'agent', 'sync'];
const TRIES = { most: 6, shortest: 1_000, longest: 60_000 };

/** What was decided from one log is not done again for another. */
const HANDLERS = { schema: 'sagas', belongs: 'the sagas (schema sagas) belong', meanwhile: 'No handler hears' };

/**
 * Hands events to the handlers of a plugin until the signal aborts, each with progress of its own: one that fails or is slow holds up
 * nobody else. Any number of processes may share the work.
 */
export async function runHandlers(plugin: LoadedPlugin, ways: PluginWays, options: HandlersOptions): Promise<void> {
  const handlers = Object.entries(plugin.parts.handlers);
  if (handlers.length === 0) return;
  const onProblem = (problem: string | null): void => options.onWaiting?.('plugins: the event log', problem);
  await untilLogIsRight('plugins', HANDLERS, { ...options, onProblem });
  if (options.signal.aborted) return;
  await Promise.all(handlers.map(([name, handler]) => runHandler(plugin, name, handler, ways, options)));
}

async function runHandler(
  plugin: LoadedPlugin,
  name: string,
  handler: EventHandler,
  ways: PluginWays,
  options: HandlersOptions,
): Promise<void> {
  const { pool, log, outages, logger, signal } = options;
  const id = `plugin-${plugin.manifest.name}-${name}`;
  const types = new Set<string>(handler.types);
  const aside = createSetAside(pool, id);
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);

  const handle = async (recorded: RecordedEvent): Promise<void> => {
    const { stream, type, revision, recordedAt, data, metadata } = upcast(recorded);
    const { correlationId, traceparent, actor } = metadata;
    const event = { id: recorded.id, type, stream, revision, recordedAt, data, correlationId };
    const tools = { ...ways.tools(signal), call: callOf(plugin, recorded, options) };
    await withContext({ correlationId, traceparent, actor }, () =>
      plugin.isolation.runAsync(`handler ${name}`, () => handler.handle(event, tools)),
    );
  };

  /** Until it did what it does, or has failed so often that the ones behind it are let by. */
  async function take(recorded: RecordedEvent): Promise<void> {
    const { most, ...pauses } = options.tries ?? TRIES;
    let attempt = 0;
    const retryWhile = (error: unknown): boolean => !isAway(error) && !signal.aborted && ++attempt < most;
    try {
      await keepTrying(() => handle(recorded), { ...pauses, signal, retryWhile });
      // Nobody who was stopped has done it.
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      if (isAway(error)) throw error;
      const reason = oneLine(error);
      await inPostgres(() => aside.add(recorded, reason));
      logger.error({ plugin: plugin.manifest.name, handler: name, event: recorded.id, reason }, 'set aside');
    }
  }

  const since = await begin(id, options);
  if (since === null) return;
  await again(aside, log, handle, options);
  await consume(options, {
    group: id,
    topics: TOPICS,
    progress: createProgress(pool, 'sagas', id),
    receive: async (events) => {
      for (const event of events) if (types.has(event.type) && event.position > since) await take(event);
    },
  });
}

/** Where the log ended as the handler was first started; null: this process ends. */
const begin = (id: string, { pool, log, outages, signal }: HandlersOptions): Promise<bigint | null> =>
  keepTrying(
    async () => {
      const head = await outages.watch('event-log', () => log.head());
      return outages.watch('postgresql', () => beginAt(pool, id, head));
    },
    { signal, shortest: 100, longest: 5_000, retryWhile: isAway },
  );

const yes = (): boolean => true;
const no = (): boolean => false;

/** What was set aside before has one more try: a new version of the plugin may do it. */
async function again(
  aside: SetAside,
  log: HandlersOptions['log'],
  handle: (event: RecordedEvent) => Promise<void>,
  { outages, signal }: HandlersOptions,
): Promise<void> {
  for (const { stream, revision, id } of await outages.watch('postgresql', () => aside.list())) {
    if (signal.aborted) return;
    for await (const event of log.readStream(stream, { from: revision, limit: 1 })) {
      const done = event.id === id && (await handle(event).then(yes, no));
      if (done) await outages.watch('postgresql', () => aside.remove(id));
    }
  }
}

const callOf =
  ({ manifest }: LoadedPlugin, event: RecordedEvent, { components, signal }: HandlersOptions): PluginCalls['call'] =>
  async (name, request, key = name) => {
    const component: Component<InRun> | undefined = components.find((one) => one.name === `${manifest.name}.${name}`);
    if (component === undefined) throw new Error(`plugin "${manifest.name}" has no component "${name}"`);
    return component.perform({ runId: newId(), ...request }, { key: `${event.id}/${key}`, signal });
  };
