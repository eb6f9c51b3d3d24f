import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { commandHash } from '@workledger/shared/aggregate/canonical-json.ts';
import { commands, declarationOf, type CommandData, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import type { Pool } from 'pg';
import { createHeartbeats, type Heartbeats } from './heartbeats.ts';
import { agentOf } from '../domain/agent.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createRoom, type HandlersConfiguration, type NextTasks } from './room.ts';
import { parseData, type StepContext } from './step.ts';

export type CommandHandlers = Commands & { readonly heartbeats: Heartbeats };

/**
 * The write side: every command of the catalogue, checked and carried out. Who may send which command is the caller's to
 * decide; here an agent is only held to its own claims. The tables of `commandServiceMigrations` must be there: the service
 * counts as ready, and leases run, from this call on.
 */
export async function createCommandHandlers(options: {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly configuration: HandlersConfiguration;
  readonly nextTasks: NextTasks;
}): Promise<CommandHandlers> {
  const heartbeats = await createHeartbeats(options.pool);
  const registry = createRegistry(createRoom(options.log, heartbeats, options.configuration, options.nextTasks));

  return {
    heartbeats,
    send: async (command, context) => {
      const type = command.type;
      if (!isCommandType(type)) return refuse('invalid-command', `there is no command "${type}"`, errorAt('type'));
      const target = command.target.toLowerCase();
      if (!uuid.safeParse(target).success)
        refuse('invalid-command', `target "${target}": use a UUID`, errorAt('target'));
      const data = parseData(declarationOf(type).data, command.data) as CommandData<typeof type>;
      checkOwnAgent(context.actor, type, target, data);
      return carryOut(registry, type, target, data, {
        ...context,
        commandId: context.commandId ?? newId(),
        firstTime: context.commandId === undefined,
        commandHash: commandHash({ type, target, data }),
      });
    },
  };
}

const isCommandType = (type: string): type is CommandType => Object.hasOwn(commands, type);

const errorAt = (path: 'type' | 'target') => ({ errors: [{ path, message: 'invalid' }] });

const carryOut = <Type extends CommandType>(
  registry: Registry,
  type: Type,
  target: string,
  data: CommandData<Type>,
  context: StepContext,
) => registry[type](target, data, context);

/** An agent speaks for itself only. */
function checkOwnAgent(actor: string, type: CommandType, target: string, data: unknown): void {
  if (!actor.startsWith('agent:')) return;
  const spokenFor = agentOf({ type, target, data });
  if (spokenFor !== null && actor !== `agent:${spokenFor}`) refuse('forbidden', 'an agent can only speak for itself');
}
