import { agentIdOf } from '@workledger/sagas/components/environment.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';

/** Names of the configured agents by id; others are called by the start of their id. */
export function agentNames({ agents }: Pick<Configuration, 'agents'>): (id: string) => string {
  const names = new Map(agents.map(({ name }) => [agentIdOf(name), name]));
  return (id) => names.get(id) ?? `agent ${id.slice(0, 8)}`;
}
