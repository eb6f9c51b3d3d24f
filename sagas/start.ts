import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { codeEvolution } from './code-evolution/code-evolution.ts';
import { runCommandAgent } from './command-agents/command-agent.ts';
import { createWakeUp } from './command-agents/wake-up.ts';
import type { Component } from './components/component.ts';
import { runCoordinator } from './engine/coordinator.ts';
import { runPerformer } from './engine/performer.ts';
import { createEffectQueue } from './engine/queue.ts';
import { startRunner } from './engine/runner.ts';
import { createRunningJobs } from './engine/running-jobs.ts';
import { anySaga } from './engine/saga.ts';
import { createSagaStore } from './engine/store.ts';
import { createWorkers, startHeartbeat } from './engine/workers.ts';
import { taskAssignment } from './task-assignment/task-assignment.ts';

export type SagaOptions = {
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly commands: Commands;
  readonly components: readonly Component[];
  /** Agents that this process works for. */
  readonly agents: readonly AgentConfiguration[];
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
  readonly callConcurrency: number;
  /** No other process works on the same queue. */
  readonly alone: boolean;
  readonly logger: Logger;
};

export type RunningSagas = {
  /** Resolves with the error that ended one of them before `stop`; without it no work goes on. */
  readonly failed: Promise<unknown>;
  stop(): Promise<void>;
};

/** Starts the sagas: coordinators, the performer of their effects, its workers, and the configured agents. */
export async function startSagas(options: SagaOptions): Promise<RunningSagas> {
  const { log, bus, pool, commands, leaseSeconds, heartbeatSeconds, logger } = options;
  const sagas = [anySaga(codeEvolution), anySaga(taskAssignment)];
  const store = createSagaStore(log, sagas);
  const queue = await createEffectQueue(pool);
  const workers = createWorkers();
  const running = createRunningJobs();
  const consuming = new AbortController();
  const { signal } = consuming;

  const stopHeartbeat = await startHeartbeat({ pool, workers, running, logger, alone: options.alone });
  const components = new Map(options.components.map((component) => [component.name, component]));
  const { callConcurrency } = options;
  const runner = await startRunner({ pool, store, workers, running, commands, components, callConcurrency, logger });
  const wake = createWakeUp(log, signal);
  const loops = [
    ...sagas.map((saga) => runCoordinator(saga, { bus, store, pool, logger, signal })),
    runPerformer({ bus, store, queue, pool, logger, signal }),
    ...options.agents.map((agent) =>
      runCommandAgent({ agent, log, commands, logger, leaseSeconds, heartbeatSeconds, wake, signal }),
    ),
  ];

  const failed = new Promise<unknown>((resolve) => {
    for (const loop of loops) loop.catch((error: unknown) => !signal.aborted && resolve(error));
  });

  return {
    failed,
    stop: async () => {
      consuming.abort();
      await Promise.allSettled(loops);
      await runner.stop();
      await stopHeartbeat();
      await queue.close();
    },
  };
}
