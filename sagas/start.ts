import type { Pool } from 'pg';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { SagaName } from '@workledger/shared/contexts/saga/events.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { codeEvolution } from './code-evolution/code-evolution.ts';
import { runCommandAgent } from './command-agents/command-agent.ts';
import { createWakeUp } from './command-agents/wake-up.ts';
import type { Component } from './engine/component.ts';
import { runEngine } from './engine/engine.ts';
import { createOutages, type Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { anySaga, type Saga } from './engine/saga.ts';
import { taskAssignment } from './task-assignment/task-assignment.ts';

/** Every saga there is, by its name. */
const sagas: { readonly [Name in SagaName]: Saga } = {
  'code-evolution': anySaga(codeEvolution),
  'task-assignment': anySaga(taskAssignment),
};

export type SagaOptions = {
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly commands: Commands;
  readonly components: readonly Component[];
  /** Agents that this process works for; the same ones in every process of a system. */
  readonly agents: readonly AgentConfiguration[];
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
  readonly callConcurrency: number;
  /** No other process works on the same queue. */
  readonly alone: boolean;
  readonly logger: Logger;
  /** The process's own, if it has one. */
  readonly outages?: Outages;
};

export type RunningSagas = {
  /** Resolves with the defect that ended one of them before `stop`; servers that are away are waited for. */
  readonly failed: Promise<unknown>;
  /** Gives back what is in hand; resolves when all has ended. */
  stop(): Promise<void>;
};

/** Starts the sagas: coordinators, the performer of their effects, its workers, and the configured agents. Waits for no server. */
export async function startSagas(options: SagaOptions): Promise<RunningSagas> {
  const outages = options.outages ?? createOutages(options.logger);
  const commands: Commands = {
    send: (command, context) => outages.watch('command-service', () => options.commands.send(command, context)),
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const common = { ...options, commands, outages, signal };
  const wake = createWakeUp(options.log, outages, signal);
  const loops = [
    runEngine({ ...common, sagas: Object.values(sagas) }),
    ...options.agents.map((agent) => runCommandAgent({ ...common, agent, wake })),
  ];
  const failed = new Promise<unknown>((resolve) => {
    for (const loop of loops) loop.catch((error: unknown) => !signal.aborted && resolve(error));
  });
  return {
    failed,
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(loops);
    },
  };
}
