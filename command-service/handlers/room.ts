import { createHandler, type Handler } from '@workledger/shared/aggregate/handle.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { agent, type AgentDecisions } from '../domain/agent.ts';
import { key } from '../domain/key.ts';
import { evolution } from '../domain/evolution.ts';
import { generation } from '../domain/generation.ts';
import { validation } from '../domain/validation.ts';
import { delivery } from '../domain/delivery.ts';
import { dependencies, type DependenciesDecisions } from '../domain/dependencies.ts';
import type { Edges } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { task, type TaskDecisions } from '../domain/task.ts';
import type { Heartbeats } from '../heartbeats/heartbeats.ts';

/** Tasks that an agent with these capabilities may find free, most urgent first. A hint: the log decides. */
export type NextTasks = (wanted: {
  readonly capabilities: readonly string[];
  /** Only tasks of a repository: an agent that is run as a command can do no other. */
  readonly withRepository: boolean;
  readonly limit: number;
}) => Promise<readonly { readonly taskId: string }[]>;

export type HandlersConfiguration = {
  readonly repositories: readonly { readonly name: string }[];
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
};

export type TaskHandler = Handler<TaskState, TaskDecisions>;
export type AgentHandler = Handler<AgentState, AgentDecisions>;
export type DependenciesHandler = Handler<Edges, DependenciesDecisions>;

/** What command handlers work with. */
export type Room = ReturnType<typeof createRoom>;

export const createRoom = (
  log: EventLog,
  heartbeats: Heartbeats,
  configuration: HandlersConfiguration,
  nextTasks: NextTasks,
) => ({
  log,
  heartbeats,
  nextTasks,
  configuration,
  tasks: createHandler(log, task) satisfies TaskHandler,
  dependencies: createHandler(log, dependencies) satisfies DependenciesHandler,
  agents: createHandler(log, agent) satisfies AgentHandler,
  keys: createHandler(log, key),
  generations: createHandler(log, generation),
  evolutions: createHandler(log, evolution),
  validations: createHandler(log, validation),
  deliveries: createHandler(log, delivery),
});
