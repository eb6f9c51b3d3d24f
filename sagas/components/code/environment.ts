import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { AgentConfiguration, Configuration, Repository } from '@workledger/shared/config/schema.ts';
import type { ReadTask } from '../task/read-task.ts';
import { agentIdOf } from './agent-id.ts';
import { refuse } from './failures.ts';

/** Fields first, then the message: pino's way. */
type ComponentLogger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

export type CodeEnvironment = {
  readonly configuration: Pick<Configuration, 'repositories' | 'agents'>;
  readonly artefacts: Artefacts;
  readonly readTask: ReadTask;
  /** Absolute path; mirrors, worktrees and attempt records lie in here. */
  readonly dataFolder: string;
  readonly logger: ComponentLogger;
};

/** @throws ComponentFailure when no such repository is registered */
export function repositoryOf(environment: CodeEnvironment, step: string, name: string): Repository {
  const found = environment.configuration.repositories.find((repository) => repository.name === name);
  return found ?? refuse(step, `no repository "${name}" in the configuration: add it under "repositories"`);
}

/** @throws ComponentFailure when the agent is none that Workledger runs itself */
export function agentOf(environment: CodeEnvironment, step: string, agentId: string): AgentConfiguration {
  const found = environment.configuration.agents.find((agent) => agentIdOf(agent.name) === agentId);
  return found ?? refuse(step, `agent ${agentId} is none of the configured command agents: see "agents"`);
}
